#include "admin/routes.hpp"

#include "admin/audit.hpp"
#include "admin/backups.hpp"
#include "admin/erasures.hpp"
#include "admin/inbound.hpp"
#include "admin/master_keys.hpp"
#include "admin/messages.hpp"
#include "admin/operations.hpp"
#include "admin/partners.hpp"
#include "admin/quota.hpp"
#include "admin/tiers.hpp"
#include "admin/webhooks.hpp"

#include <array>

namespace satchel::admin {
namespace {

using http::Method;

constexpr std::array route_table{
    Route{Method::get, "GET", "/health", "admin_health", health},
    Route{Method::get, "GET", "/stats", "admin_stats", stats},
    Route{Method::post, "POST", "/clock", "admin_clock", advance_clock},
    Route{Method::get, "GET", "/partners", "admin_partner_list", list_partners},
    Route{Method::post, "POST", "/partners", "admin_partner_add", add_partner},
    Route{Method::get, "GET", "/partners/{}", "admin_partner_show", show_partner},
    Route{Method::post, "POST", "/partners/{}/disable", "admin_partner_disable", disable_partner},
    Route{Method::get, "GET", "/partners/{}/quota", "admin_quota_show", show_quota},
    Route{Method::patch, "PATCH", "/partners/{}/quota", "admin_quota_change", change_quota},
    Route{Method::get, "GET", "/partners/{}/keys", "admin_key_list", list_keys},
    Route{Method::post, "POST", "/partners/{}/keys", "admin_key_add", add_key},
    Route{Method::delete_, "DELETE", "/keys/{}", "admin_key_revoke", revoke_key},
    Route{Method::get, "GET", "/lines", "admin_line_list", list_lines},
    Route{Method::post, "POST", "/partners/{}/lines", "admin_line_add", add_line},
    Route{Method::delete_, "DELETE", "/lines/{}", "admin_line_remove", remove_line},
    Route{Method::get, "GET", "/tiers", "admin_tier_show", show_tiers},
    Route{Method::put, "PUT", "/partners/{}/tier", "admin_tier_partner", set_partner_tier},
    Route{Method::put, "PUT", "/lines/{}/tier", "admin_tier_line", set_line_tier},
    Route{Method::post, "POST", "/partners/{}/attachments", "admin_attachment_create",
          create_attachment},
    Route{Method::post, "POST", "/partners/{}/messages", "admin_message_send", send_message},
    Route{Method::post, "POST", "/inbound", "admin_inbound", receive_message},
    Route{Method::get, "GET", "/webhooks/failed", "admin_webhook_failed", list_failed_webhooks},
    Route{Method::post, "POST", "/webhooks/failed/{}/replay", "admin_webhook_replay",
          replay_webhook},
    Route{Method::post, "POST", "/webhooks/replay", "admin_webhook_replay_all",
          replay_all_webhooks},
    Route{Method::get, "GET", "/master-keys", "admin_master_key_list", list_master_keys},
    Route{Method::post, "POST", "/master-keys/rotate", "admin_master_key_rotate",
          rotate_master_key},
    Route{Method::get, "GET", "/master-keys/rewrap", "admin_master_key_rewrap", show_rewrap},
    Route{Method::delete_, "DELETE", "/master-keys/{}", "admin_master_key_retire",
          retire_master_key},
    Route{Method::get, "GET", "/backup", "admin_backup_show", show_backup},
    Route{Method::post, "POST", "/backup", "admin_backup_start", start_backup},
    Route{Method::post, "POST", "/erasures", "admin_erase", erase},
    Route{Method::get, "GET", "/audit/start", "admin_audit_start", show_audit_start},
    Route{Method::get, "GET", "/audit/head", "admin_audit_head", show_audit_head},
    Route{Method::get, "GET", "/audit/entries/{}", "admin_audit_list", list_audit},
    Route{Method::get, "GET", "/audit/receipts/{}", "admin_audit_receipt", make_audit_receipt},
};

}  // namespace

std::span<const Route> routes() {
    return route_table;
}

}  // namespace satchel::admin
