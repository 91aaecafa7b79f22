// The command line: what each command is called and takes, where its words go, and what it runs.
// The only users of CLI11 are the two files behind this: cli.cpp and cli_commands.cpp.
#pragma once

#include "app/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace satchel::app {

// Where the parser leaves what it read. One command runs a process, so one of each is enough.
struct Parsed {
    DevOptions dev;
    ServeOptions serve;
    AdminOptions admin;
    UploadOptions upload;
    ReceiveOptions receive;
    FsckOptions fsck;
    BackupOptions backup;
    RestoreOptions restore;
    AuditOptions audit;
    QuotaChanges quota;
    EraseOptions erase;
    TierOptions tier;
    Format format = Format::text;
    std::string subject;
    std::string number;
    std::string shell;
    bool all = false;
    bool in_background = false;
    std::uint32_t version = 1;
    std::vector<std::string> help_words;
    std::function<Result<int>()> action;
};

class CommandLine {
public:
    CommandLine();

    // Reads the words, runs the command and gives the exit code.
    int run(int argc, char** argv);

private:
    void add_servers();
    void add_partner();
    void add_partner_quota(CLI::App* partner);
    void add_key();
    void add_master_key();
    void add_line();
    void add_tier();
    void add_upload();
    void add_receive();
    void add_webhook();
    void add_audit();
    CLI::App* add_audit_command(CLI::App* audit,
                                const char* name,
                                const char* description,
                                std::function<Result<int>()> action);
    void add_audit_verify(CLI::App* audit);
    void add_erase();
    void add_maintenance();
    void add_backup();
    void add_help();

    static void add_json(CLI::App* command, Format& format) {
        command->add_flag_callback(
            "--json", [&format] { format = Format::json; }, "Print JSON and nothing else");
    }
    static void add_server_choice(CLI::App* command, ServerChoice& choice) {
        command->add_option("--data", choice.data, "Folder of the server (holds admin.json)")
            ->type_name("DIR");
        command->add_option("--config", choice.config, "Settings of the server (TOML)")
            ->type_name("FILE");
        command->parse_complete_callback([&choice] { check_server_choice(choice); });
    }
    static void check_server_choice(const ServerChoice& choice) {
        if (choice.data.empty() || choice.config.empty()) return;
        throw CLI::ValidationError("give --data or --config, not both");
    }
    // A command that talks to a running server.
    CLI::App* add_admin_command(CLI::App* parent,
                                const char* name,
                                const char* description,
                                std::function<Result<int>()> action) {
        CLI::App* command = parent->add_subcommand(name, description);
        add_server_choice(command, parsed_.admin.server);
        add_json(command, parsed_.admin.format);
        on(command, std::move(action));
        return command;
    }
    void on(CLI::App* command, std::function<Result<int>()> action) {
        command->final_callback([this, action = std::move(action)] { parsed_.action = action; });
    }
    CLI::App* add_group(const char* name, const char* description) {
        CLI::App* group = app_.add_subcommand(name, description);
        group->require_subcommand(1);
        return group;
    }

    static std::string help_of(const CLI::App* command);
    Result<int> show_help();
    Result<int> show_completion();
    CLI::App* find_command(const std::vector<std::string>& words);
    std::string path_of_parsed() const;

    CLI::App app_{"Satchel: a self-hosted attachment service for messaging", "satchel"};
    Parsed parsed_;
};

}  // namespace satchel::app
