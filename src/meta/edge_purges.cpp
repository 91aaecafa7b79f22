#include "meta/edge_purges.hpp"

#include "meta/columns.hpp"
#include "meta/jobs.hpp"

namespace satchel::meta {
namespace {

std::string join(const std::vector<std::string>& forms) {
    std::string text;
    for (const std::string& form : forms) text += (text.empty() ? "" : ",") + form;
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> forms;
    while (!text.empty()) {
        const auto comma = text.find(',');
        forms.emplace_back(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    return forms;
}

}  // namespace

Result<> insert_edge_purge(Session& session, const EdgePurge& purge, Time now) {
    std::int64_t seq = 0;
    {
        TRY(auto added, session.query("INSERT INTO edge_purges (partner, attachment, forms) "
                                      "VALUES ($1, $2, $3) RETURNING seq",
                                      purge.partner, purge.attachment, join(purge.forms)));
        TRY([[maybe_unused]] const bool found, added->step());
        seq = added->integer(0);
    }
    return enqueue_job(session, purge_job_kind, seq, now);
}

Result<std::optional<EdgePurge>> find_edge_purge(Session& session, std::int64_t seq) {
    TRY(auto statement,
        session.query("SELECT partner, attachment, forms FROM edge_purges WHERE seq = $1", seq));
    return first_row(*statement, [](const Statement& row) -> Result<EdgePurge> {
        EdgePurge purge;
        TRY(purge.partner, id_at<PartnerId>(row, 0));
        TRY(purge.attachment, id_at<AttachmentId>(row, 1));
        purge.forms = split(row.text(2));
        return purge;
    });
}

Result<> remove_edge_purge(Session& session, std::int64_t seq) {
    return session.run("DELETE FROM edge_purges WHERE seq = $1", seq);
}

}  // namespace satchel::meta
