#include "admin/audit.hpp"

#include "admin/render.hpp"
#include "base/bytes.hpp"
#include "model/api_errors.hpp"
#include "service/audit.hpp"

#include <boost/json.hpp>

namespace satchel::admin {

namespace json = boost::json;

Async<http::Response> show_audit_start(Call call) {
    CO_TRY(const AuditStart start, co_await audit_start(call.services.database));
    co_return json_response(200, to_json(start));
}

Async<http::Response> show_audit_head(Call call) {
    CO_TRY(const AuditHead head,
           co_await sign_audit_head(call.services.database, call.services.clock.now()));
    co_return json_response(200, to_json(head));
}

Async<http::Response> list_audit(Call call) {
    const auto after = parse_u64(call.subject);
    if (!after) {
        co_return fail(reasons::invalid_parameter, "an entry is named by its number, 0 for none");
    }
    CO_TRY(const auto links, co_await audit_page(call.services.database, *after));
    json::array entries;
    for (const AuditLink& link : links) entries.push_back(to_json(link));
    co_return json_response(200, json::object{{"entries", std::move(entries)}});
}

Async<http::Response> make_audit_receipt(Call call) {
    const auto attachment = AttachmentId::parse(call.subject);
    if (!attachment) {
        co_return fail(reasons::invalid_parameter, "an attachment is named by its id, a UUID");
    }
    CO_TRY(const AuditReceipt receipt,
           co_await sign_audit_receipt(call.services.database, *attachment,
                                       call.services.clock.now()));
    co_return json_response(200, to_json(receipt));
}

}  // namespace satchel::admin
