#include "app/command_line.hpp"
#include "base/rfc3339.hpp"
#include "base/uuid.hpp"

#include <array>

namespace satchel::app {

void CommandLine::add_servers() {
    const CLI::Validator ports = CLI::Validator(CLI::Range(0, 65535)).description("");
    CLI::App* dev = app_.add_subcommand("dev", "Run a complete server with nothing to configure");
    dev->add_option("--port", parsed_.dev.port, "API, uploads and downloads; 0: a free one (8780)")
        ->type_name("N")
        ->check(ports);
    dev->add_option("--admin-port", parsed_.dev.admin_port, "Admin API (the port after --port)")
        ->type_name("N")
        ->check(ports);
    dev->add_option("--data", parsed_.dev.data, "Everything it stores (./satchel-data)")
        ->type_name("DIR");
    dev->add_option("--env-file", parsed_.dev.env_file,
                    "Write the variables a client needs, once requests are accepted")
        ->type_name("FILE");
    dev->add_flag("--test-clock", parsed_.dev.test_clock, "Let the admin API move time");
    add_json(dev, parsed_.dev.format);
    on(dev, [this] { return run_dev(parsed_.dev); });

    CLI::App* serve = app_.add_subcommand("serve", "Run the production server");
    serve->add_option("--config", parsed_.serve.config, "Settings (TOML); the environment wins")
        ->type_name("FILE");
    serve->add_flag("--check", parsed_.serve.check, "Check the settings and exit");
    serve->add_flag("--test-clock", parsed_.serve.test_clock, "Let the admin API move time");
    add_json(serve, parsed_.serve.format);
    on(serve, [this] { return run_serve(parsed_.serve); });
}

void CommandLine::add_partner() {
    CLI::App* partner = add_group("partner", "Partner accounts");
    add_admin_command(partner, "add", "Make a partner and its first API key",
                      [this] { return partner_add(parsed_.admin, parsed_.subject); })
        ->add_option("NAME", parsed_.subject, "What people call it")
        ->required();
    add_admin_command(partner, "list", "All partners",
                      [this] { return partner_list(parsed_.admin); });
    add_admin_command(partner, "show", "One partner with its quota, keys and lines",
                      [this] { return partner_show(parsed_.admin, parsed_.subject); })
        ->add_option("ID", parsed_.subject, "Its id or name")
        ->required();
    add_admin_command(partner, "disable", "Make its API keys stop working",
                      [this] { return partner_disable(parsed_.admin, parsed_.subject); })
        ->add_option("ID", parsed_.subject, "Its id or name")
        ->required();
    add_partner_quota(partner);
}

void CommandLine::add_partner_quota(CLI::App* partner) {
    const CLI::Validator is_limit(
        [](std::string& text) {
            const bool is_number = !text.empty() && text.size() <= 16 &&
                                   text.find_first_not_of("0123456789") == std::string::npos;
            return is_number || text == "default"
                       ? std::string()
                       : "not a number (0: no limit) or default, for the server's setting";
        },
        "");
    CLI::App* quota = add_admin_command(
        partner, "quota", "What it may store and how often it may call",
        [this] { return partner_quota(parsed_.admin, parsed_.subject, parsed_.quota); });
    quota->add_option("ID", parsed_.subject, "Its id or name")->required();
    static constexpr std::array options{
        std::array{"--bytes", "bytes", "Bytes stored and announced; 0: no limit"},
        std::array{"--files", "files", "Attachments"},
        std::array{"--pending", "pending", "Uploads that wait for their bytes"},
        std::array{"--requests", "requests_per_minute", "Calls of the API in a minute"},
        std::array{"--creates", "creates_per_minute", "Uploads asked for in a minute"},
        std::array{"--sends", "sends_per_minute", "Messages sent in a minute"}};
    for (const auto& [option, name, description] : options) {
        quota->add_option(option, parsed_.quota[name], description)
            ->type_name("N")
            ->check(is_limit);
    }
}

void CommandLine::add_key() {
    CLI::App* key = add_group("key", "API keys");
    add_admin_command(key, "add", "Make a key; it is shown once",
                      [this] { return key_add(parsed_.admin, parsed_.subject); })
        ->add_option("PARTNER", parsed_.subject, "The partner's id or name")
        ->required();
    add_admin_command(key, "list", "A partner's keys",
                      [this] { return key_list(parsed_.admin, parsed_.subject); })
        ->add_option("PARTNER", parsed_.subject, "The partner's id or name")
        ->required();
    add_admin_command(key, "revoke", "Make a key stop working at once",
                      [this] { return key_revoke(parsed_.admin, parsed_.subject); })
        ->add_option("KEY_ID", parsed_.subject, "As key list shows it")
        ->required();
}

void CommandLine::add_master_key() {
    CLI::App* keys = add_group("keys", "Versions of the master key");
    add_admin_command(keys, "rotate", "Take a new master key into use and re-wrap every data key",
                      [this] { return master_key_rotate(parsed_.admin, parsed_.in_background); })
        ->add_flag("--background", parsed_.in_background, "Do not wait for the re-wrapping");
    add_admin_command(keys, "list", "All versions, and how many attachments are under each",
                      [this] { return master_key_list(parsed_.admin); });
    add_admin_command(keys, "retire", "Remove a version that nothing needs any more",
                      [this] { return master_key_retire(parsed_.admin, parsed_.subject); })
        ->add_option("VERSION", parsed_.subject, "As keys list shows it")
        ->required();
    CLI::App* generate = keys->add_subcommand(
        "generate", "Print a new key's line, for encryption.master_key_command");
    generate->add_option("VERSION", parsed_.version, "Its number: one more than the last (1)")
        ->check(CLI::Validator(CLI::Range(1U, 4'294'967'295U)).description(""));
    add_json(generate, parsed_.format);
    on(generate, [this] { return master_key_generate(parsed_.version, parsed_.format); });
}

void CommandLine::add_line() {
    CLI::App* line = add_group("line", "Phone numbers that partners send from and receive on");
    CLI::App* add = add_admin_command(line, "add", "Give a partner a line", [this] {
        return line_add(parsed_.admin, parsed_.subject, parsed_.number);
    });
    add->add_option("PARTNER", parsed_.subject, "The partner's id or name")->required();
    add->add_option("NUMBER", parsed_.number, "E.164, for example +15550100001")->required();
    add_admin_command(line, "list", "All lines", [this] { return line_list(parsed_.admin); });
    add_admin_command(line, "remove", "Take a line away",
                      [this] { return line_remove(parsed_.admin, parsed_.number); })
        ->add_option("NUMBER", parsed_.number, "E.164, for example +15550100001")
        ->required();
}

void CommandLine::add_receive() {
    CLI::App* receive = app_.add_subcommand("receive", "Let a message come in, as a carrier would");
    receive->add_option("--line", parsed_.receive.line, "The line that receives it")
        ->type_name("+E164")
        ->required();
    receive->add_option("--from", parsed_.receive.from, "Who sends it: a phone number or e-mail")
        ->type_name("HANDLE")
        ->required();
    receive->add_option("--text", parsed_.receive.text, "Its text")->type_name("TEXT");
    receive->add_option("--media", parsed_.receive.media, "A file that comes with it; repeatable")
        ->type_name("FILE");
    add_server_choice(receive, parsed_.receive.admin.server);
    add_json(receive, parsed_.receive.admin.format);
    on(receive, [this] { return run_receive(parsed_.receive); });
}

void CommandLine::add_tier() {
    CLI::App* tier = add_group("tier", "What is kept, and what leaves after 24 hours");
    CLI::App* set = tier->add_subcommand("set", "Set it for what is made from now on");
    auto* partner =
        set->add_option("--partner", parsed_.tier.partner, "All of this partner: its id or name")
            ->type_name("ID");
    auto* line = set->add_option("--line", parsed_.tier.line, "What is sent and received on it")
                     ->type_name("+E164")
                     ->excludes(partner);
    set->add_flag("--messages", parsed_.tier.messages,
                  "Its messages too, not only their attachments")
        ->needs(line);
    set->add_option("TIER", parsed_.tier.tier, "ephemeral or persistent")
        ->required()
        ->check(CLI::IsMember({"ephemeral", "persistent"}));
    add_server_choice(set, parsed_.tier.admin.server);
    add_json(set, parsed_.tier.admin.format);
    on(set, [this] { return tier_set(parsed_.tier); });
    set->parse_complete_callback([this] {
        check_server_choice(parsed_.tier.admin.server);
        if (parsed_.tier.partner.empty() && parsed_.tier.line.empty()) {
            throw CLI::ValidationError("give --partner ID or --line +E164");
        }
    });
    add_admin_command(tier, "show", "Of every partner and line",
                      [this] { return tier_show(parsed_.admin); });
}

void CommandLine::add_upload() {
    CLI::App* upload = app_.add_subcommand(
        "upload", "Upload files, print their attachment ids, perhaps send them");
    upload->add_option("FILE", parsed_.upload.files, "What to upload")->required();
    upload
        ->add_option("--partner", parsed_.upload.partner,
                     "Whose attachments they are: id or name (the only partner, or demo)")
        ->type_name("PARTNER");
    upload
        ->add_option("--type", parsed_.upload.content_type,
                     "Their content type (from each file's extension)")
        ->type_name("TYPE");
    auto* to = upload
                   ->add_option("--to", parsed_.upload.to,
                                "Send them in one message to this phone number or e-mail; "
                                "repeatable")
                   ->type_name("HANDLE");
    upload
        ->add_option("--from", parsed_.upload.from,
                     "From this line (the last that wrote to them, or the first)")
        ->type_name("+E164")
        ->needs(to);
    upload->add_option("--text", parsed_.upload.text, "With this text before them")
        ->type_name("TEXT")
        ->needs(to);
    add_server_choice(upload, parsed_.upload.admin.server);
    add_json(upload, parsed_.upload.admin.format);
    on(upload, [this] { return run_upload(parsed_.upload); });
}

void CommandLine::add_webhook() {
    CLI::App* webhook = add_group("webhook", "Webhook deliveries");
    add_admin_command(webhook, "list-failed", "What could not be delivered, newest first",
                      [this] { return webhook_list_failed(parsed_.admin); });
    CLI::App* replay =
        add_admin_command(webhook, "replay", "Deliver what was given up again", [this] {
            return webhook_replay(parsed_.admin, parsed_.all ? std::string() : parsed_.subject);
        });
    replay->add_option("EVENT_ID", parsed_.subject, "As webhook list-failed shows it");
    replay->add_flag("--all", parsed_.all, "Everything that was given up");
    replay->parse_complete_callback([this] {
        check_server_choice(parsed_.admin.server);
        if (parsed_.subject.empty() == parsed_.all) return;
        throw CLI::ValidationError("give an EVENT_ID or --all");
    });
}

CLI::App* CommandLine::add_audit_command(CLI::App* audit,
                                         const char* name,
                                         const char* description,
                                         std::function<Result<int>()> action) {
    CLI::App* command = audit->add_subcommand(name, description);
    add_server_choice(command, parsed_.audit.source);
    add_json(command, parsed_.audit.format);
    on(command, std::move(action));
    return command;
}

void CommandLine::add_audit() {
    const CLI::Validator is_time(
        [](std::string& text) {
            return parse_since(text) ? std::string()
                                     : "not a time such as 2026-01-02 or 2026-01-02T03:04:05Z";
        },
        "");
    const CLI::Validator is_uuid(
        [](std::string& text) { return Uuid::parse(text) ? std::string() : "not a UUID"; }, "");
    const auto add_since = [this, &is_time](CLI::App* command) {
        command
            ->add_option("--since", parsed_.audit.since, "Only what happened at this time or later")
            ->type_name("TIME")
            ->check(is_time);
    };
    CLI::App* audit = add_group("audit", "The deletion audit");
    CLI::App* list = add_audit_command(audit, "list", "What was deleted, oldest first",
                                       [this] { return audit_list(parsed_.audit); });
    list->add_option("--partner", parsed_.audit.partner, "Only what belonged to this partner")
        ->type_name("ID")
        ->check(is_uuid);
    add_since(list);
    add_since(add_audit_command(audit, "export", "JSON lines that can be verified anywhere",
                                [this] { return audit_export(parsed_.audit); }));
    add_audit_command(audit, "head", "The signed end, to be kept elsewhere",
                      [this] { return audit_head(parsed_.audit); });
    add_audit_command(audit, "receipt", "A signed proof of one deletion",
                      [this] { return audit_receipt(parsed_.audit, parsed_.subject); })
        ->add_option("ID", parsed_.subject, "The attachment's id")
        ->required()
        ->check(is_uuid);
    add_audit_verify(audit);
}

void CommandLine::add_audit_verify(CLI::App* audit) {
    CLI::App* verify = add_audit_command(
        audit, "verify", "Walk the hash chain; exit 1 if anything was changed, left out or cut",
        [this] { return audit_verify(parsed_.audit); });
    auto* file = verify->add_option("--file", parsed_.audit.file, "Verify this export, offline")
                     ->type_name("FILE");
    verify->add_option("--receipt", parsed_.audit.receipt, "Verify this receipt, offline")
        ->type_name("FILE")
        ->excludes(file);
    verify
        ->add_option("--head", parsed_.audit.head,
                     "Heads and receipts that were kept; their entries must still be there")
        ->type_name("FILE");
    verify->add_option("--key", parsed_.audit.key, "The key that must have signed it")
        ->type_name("HEX");
}

void CommandLine::add_erase() {
    EraseOptions& options = parsed_.erase;
    CLI::App* erase = app_.add_subcommand(
        "erase", "Erase what a partner has, or what it has of one person, for good");
    erase->add_option("--partner", options.partner, "Whose: id or name")
        ->type_name("PARTNER")
        ->required();
    erase
        ->add_option("--handle", options.handle,
                     "Only what came from or went to this phone number or e-mail")
        ->type_name("HANDLE");
    erase->add_option("--before", options.before, "Only what was made before this time")
        ->type_name("TIME")
        ->check(CLI::Validator(
            [](std::string& text) {
                return parse_since(text) ? std::string()
                                         : "not a time such as 2026-01-02 or 2026-01-02T03:04:05Z";
            },
            ""));
    erase->add_flag("--dry-run", options.dry_run, "Count what would go, and leave it");
    erase->add_flag("--yes", options.yes, "Do not ask");
    add_server_choice(erase, options.admin.server);
    add_json(erase, options.admin.format);
    erase->parse_complete_callback([&options] {
        check_server_choice(options.admin.server);
        if (options.yes || options.dry_run || erase_can_ask()) return;
        throw CLI::ValidationError(
            "nobody is there to be asked: give --yes to erase, or --dry-run to see what would go");
    });
    on(erase, [&options] { return run_erase(options); });
}

void CommandLine::add_maintenance() {
    CLI::App* fsck = app_.add_subcommand(
        "fsck", "Compare metadata and stored bytes, decrypt everything; exit 1 if anything is off");
    fsck->add_flag("--repair", parsed_.fsck.repair, "Remove blobs that no attachment has");
    add_server_choice(fsck, parsed_.fsck.store);
    add_json(fsck, parsed_.fsck.format);
    on(fsck, [this] { return run_fsck(parsed_.fsck); });

    add_admin_command(&app_, "health", "Exit 0 if the server is ready",
                      [this] { return run_health(parsed_.admin); });

    CLI::App* version = app_.add_subcommand("version", "Version, commit, compiler, libraries");
    add_json(version, parsed_.format);
    on(version, [this] { return run_version(parsed_.format); });
}

void CommandLine::add_backup() {
    CLI::App* backup = app_.add_subcommand(
        "backup", "Copy the store, consistently, while the server runs; the master key stays out");
    backup
        ->add_option("DIR", parsed_.backup.folder,
                     "Where to: new, empty, or an earlier backup, which is brought up to date")
        ->required();
    add_server_choice(backup, parsed_.backup.store);
    add_json(backup, parsed_.backup.format);
    on(backup, [this] { return run_backup(parsed_.backup); });

    CLI::App* restore = app_.add_subcommand(
        "restore", "Put a backup in place; what was deleted since stays deleted");
    restore->add_option("DIR", parsed_.restore.folder, "The backup")->required();
    auto* ledger = restore
                       ->add_option("--ledger", parsed_.restore.ledger,
                                    "What was deleted since: an export of the audit (the audit of "
                                    "the store that is replaced)")
                       ->type_name("FILE");
    restore
        ->add_flag("--without-ledger", parsed_.restore.without_ledger,
                   "Bring back what was deleted since, too")
        ->excludes(ledger);
    restore->add_flag("--replace", parsed_.restore.replace, "Move the store that is there aside");
    restore->add_flag("--accept-damage", parsed_.restore.accept_damage,
                      "Go on although parts of the backup are missing or damaged");
    restore->add_flag("--check", parsed_.restore.check,
                      "Do everything but replace: verify the backup and the ledger");
    add_server_choice(restore, parsed_.restore.store);
    add_json(restore, parsed_.restore.format);
    on(restore, [this] { return run_restore(parsed_.restore); });
}

void CommandLine::add_help() {
    CLI::App* completion = app_.add_subcommand("completion", "Print a shell completion script");
    completion->add_option("SHELL", parsed_.shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    on(completion, [this] { return show_completion(); });

    CLI::App* help = app_.add_subcommand("help", "Explain a command");
    help->add_option("COMMAND", parsed_.help_words, "For example: partner add");
    on(help, [this] { return show_help(); });
}

}  // namespace satchel::app
