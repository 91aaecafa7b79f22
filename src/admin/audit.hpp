// The deletion audit, read-only. What is answered is docs/formats/audit.md's.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

Async<http::Response> show_audit_start(Call call);
Async<http::Response> show_audit_head(Call call);
// {"entries":[...]}: the next limits::audit_page_max behind the entry that the path names.
Async<http::Response> list_audit(Call call);
// Of the attachment that the path names. Walks the whole chain.
Async<http::Response> make_audit_receipt(Call call);

}  // namespace satchel::admin
