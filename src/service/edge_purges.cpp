#include "service/edge_purges.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace satchel {
namespace {

namespace json = boost::json;

// What an edge that has nothing to forget may say.
constexpr int status_not_found = 404;
constexpr int status_gone = 410;

}  // namespace

Result<> EdgePurges::taken(meta::Session& /*session*/, const meta::Job& /*job*/, Time /*now*/) {
    return {};
}

Async<jobs::Settle> EdgePurges::attempt(meta::Job job) {
    auto find = [seq = job.subject](meta::Session& session) {
        return meta::find_edge_purge(session, seq);
    };
    CO_TRY(const auto found, co_await parts_.database.read(find));
    if (found) {
        CO_CHECK(parts_.settings.method == PurgeMethod::post ? co_await post(*found)
                                                             : co_await purge(*found));
        ++accepted_;
    }
    co_return jobs::Settle([seq = job.subject](meta::Session& session) {
        return meta::remove_edge_purge(session, seq);
    });
}

// One request that names all of it.
Async<> EdgePurges::post(const meta::EdgePurge& purge) {
    json::array urls;
    for (const std::string& url : parts_.urls.download_folders(purge.partner, purge.attachment)) {
        urls.emplace_back(url);
    }
    json::array forms;
    for (const std::string& form : purge.forms) forms.emplace_back(form);
    const std::string id = purge.attachment.str();
    fetch::PostRequest request;
    request.url = parts_.settings.url;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = json::serialize(json::object{{"event", "attachment.deleted"},
                                                {"partner_id", purge.partner.str()},
                                                {"attachment_id", id},
                                                {"url_prefixes", std::move(urls)},
                                                {"forms", std::move(forms)},
                                                {"cache_tags", json::array{id}}});
    return ask(std::move(request));
}

// One request for each folder that URLs of it stand in.
Async<> EdgePurges::purge(const meta::EdgePurge& purge) {
    std::vector<std::string> paths =
        UrlMaker::download_folder_paths(purge.partner, purge.attachment);
    const std::size_t folders = paths.size();
    for (std::size_t i = 0; i < folders; ++i) {
        for (const std::string& form : purge.forms) paths.push_back(paths[i] + form + "/");
    }
    for (const std::string& path : paths) {
        fetch::PostRequest request;
        request.method = "PURGE";
        request.url = parts_.settings.url + path;
        request.headers = {{"Cache-Tag", purge.attachment.str()}};
        CO_CHECK(co_await ask(std::move(request)));
    }
    co_return Result<>{};
}

Async<> EdgePurges::ask(fetch::PostRequest request) {
    request.partner = "edge";
    request.total_max = limits::edge_attempt_max;
    request.answer_bytes_max = limits::edge_answer_bytes_max;
    if (!parts_.settings.token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + parts_.settings.token);
    }
    CO_TRY(const fetch::Posted posted, co_await parts_.fetcher.post(std::move(request)));
    if (posted.failure != fetch::Failure::none) {
        co_return fail(Errc::unavailable, "the edge did not answer: " + posted.detail);
    }
    const bool is_done = (posted.status >= 200 && posted.status < 300) ||
                         posted.status == status_not_found || posted.status == status_gone;
    if (is_done) co_return Result<>{};
    co_return fail(Errc::unavailable, "the edge answered " + std::to_string(posted.status));
}

Result<> EdgePurges::given_up(meta::Session& session, const meta::Job& job, const Error& why) {
    TRY(const auto purge, meta::find_edge_purge(session, job.subject));
    if (!purge) return {};
    ++given_up_;
    log::error("edge_purge_given_up", {{"attachment_id", purge->attachment.str()},
                                       {"partner_id", purge->partner.str()},
                                       {"detail", why.detail}});
    return meta::remove_edge_purge(session, job.subject);
}

}  // namespace satchel
