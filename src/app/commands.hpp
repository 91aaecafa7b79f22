// What each command does. The command line itself is read in cli.cpp.
//
// A command prints its result and returns the exit code, or an Error for the one line on
// standard error (exit code 1).
#pragma once

#include "app/admin_client.hpp"
#include "app/output.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace satchel::app {

struct DevOptions {
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> admin_port;
    std::string data;
    std::string env_file;
    bool test_clock = false;
    Format format = Format::text;
};
Result<int> run_dev(const DevOptions& options);

struct ServeOptions {
    std::string config;  // Empty: settings from the environment alone.
    bool check = false;
    bool test_clock = false;
    Format format = Format::text;
};
Result<int> run_serve(const ServeOptions& options);

// What every command that talks to a server takes.
struct AdminOptions {
    ServerChoice server;
    Format format = Format::text;
};

Result<int> partner_add(const AdminOptions& options, const std::string& name);
Result<int> partner_list(const AdminOptions& options);
Result<int> partner_show(const AdminOptions& options, const std::string& id);
Result<int> partner_disable(const AdminOptions& options, const std::string& id);
// By the admin API's names: a number, "default" for the server's setting, or empty: as it is.
using QuotaChanges = std::map<std::string, std::string>;
// Shows the quota as it is after the changes, of which there may be none.
Result<int> partner_quota(const AdminOptions& options,
                          const std::string& partner,
                          const QuotaChanges& changes);

Result<int> key_add(const AdminOptions& options, const std::string& partner);
Result<int> key_list(const AdminOptions& options, const std::string& partner);
Result<int> key_revoke(const AdminOptions& options, const std::string& key_id);

// Without `in_background`: returns when every attachment is under the new version.
Result<int> master_key_rotate(const AdminOptions& options, bool in_background);
Result<int> master_key_list(const AdminOptions& options);
Result<int> master_key_retire(const AdminOptions& options, const std::string& version);
// Prints a new key's line. Needs no server.
Result<int> master_key_generate(std::uint32_t version, Format format);

Result<int> line_add(const AdminOptions& options,
                     const std::string& partner,
                     const std::string& number);
Result<int> line_list(const AdminOptions& options);
Result<int> line_remove(const AdminOptions& options, const std::string& number);

struct TierOptions {
    AdminOptions admin;
    std::string partner;  // Id or name. Exactly one of both.
    std::string line;
    std::string tier;       // "ephemeral" or "persistent".
    bool messages = false;  // Of a line: its messages, too.
};
Result<int> tier_set(const TierOptions& options);
Result<int> tier_show(const AdminOptions& options);

Result<int> webhook_list_failed(const AdminOptions& options);
// Empty: every event that was given up.
Result<int> webhook_replay(const AdminOptions& options, const std::string& event);

struct UploadOptions {
    AdminOptions admin;
    std::vector<std::string> files;
    std::string partner;       // Empty: the only one, or "demo".
    std::string content_type;  // Empty: from each file's extension.
    // With recipients, the attachments are sent to them in one message.
    std::vector<std::string> to;
    std::string from;  // Empty: as POST /v3/messages chooses.
    std::string text;  // Goes before the attachments.
};
Result<int> run_upload(const UploadOptions& options);

struct ReceiveOptions {
    AdminOptions admin;
    std::string line;
    std::string from;
    std::string text;
    std::vector<std::string> media;  // Files.
};
Result<int> run_receive(const ReceiveOptions& options);

struct EraseOptions {
    AdminOptions admin;
    std::string partner;  // An id or a name.
    std::string handle;   // Empty: of everybody.
    std::string before;   // As parse_since() reads it; empty: all.
    bool dry_run = false;
    bool yes = false;  // Nobody is asked.
};
Result<int> run_erase(const EraseOptions& options);
// Whether somebody is there to be asked.
bool erase_can_ask();

Result<int> run_health(const AdminOptions& options);
Result<int> run_version(Format format);

struct FsckOptions {
    ServerChoice store;
    bool repair = false;
    Format format = Format::text;
};
Result<int> run_fsck(const FsckOptions& options);

struct BackupOptions {
    ServerChoice store;
    std::string folder;
    Format format = Format::text;
};
// By the server that runs on the store, or without one.
Result<int> run_backup(const BackupOptions& options);

struct RestoreOptions {
    ServerChoice store;
    std::string folder;           // Of the backup.
    std::string ledger;           // An audit export; empty: the audit of what is replaced.
    bool without_ledger = false;  // What was deleted since the backup comes back.
    bool replace = false;         // The store that is there is moved aside.
    bool accept_damage = false;   // What is damaged in the backup does not stop it.
    bool check = false;           // Nothing is replaced.
    Format format = Format::text;
};
Result<int> run_restore(const RestoreOptions& options);

// From the store's own files, or from a server that only SATCHEL_ADMIN_URL names.
struct AuditOptions {
    ServerChoice source;
    std::string partner;  // list: an id; empty: all.
    std::string since;    // list, export: as parse_since() reads it; empty: from the beginning.
    // verify: what was exported or signed instead of a store, and what to compare it with.
    std::string file;
    std::string receipt;
    std::string head;
    std::string key;
    Format format = Format::text;
};
// As parse_rfc3339(), or a day, for its beginning.
std::optional<Time> parse_since(const std::string& text);
Result<int> audit_list(const AuditOptions& options);
Result<int> audit_export(const AuditOptions& options);
Result<int> audit_head(const AuditOptions& options);
Result<int> audit_receipt(const AuditOptions& options, const std::string& attachment);
Result<int> audit_verify(const AuditOptions& options);

}  // namespace satchel::app
