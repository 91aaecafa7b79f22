#include "app/cli.hpp"

#include "app/command_line.hpp"
#include "app/completion.hpp"

#include <algorithm>
#include <cstdio>

namespace satchel::app {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_wrong_command_line = 2;

CommandNode describe(CLI::App* command) {
    CommandNode node;
    node.name = command->get_name();
    for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) node.words.push_back("--" + name);
    }
    for (CLI::App* child : command->get_subcommands([](CLI::App*) { return true; })) {
        node.commands.push_back(describe(child));
    }
    return node;
}

}  // namespace

CommandLine::CommandLine() {
    app_.require_subcommand(1);
    app_.set_help_flag("-h,--help", "Explain the command");
    app_.get_formatter()->label("TEXT", "");
    app_.get_formatter()->label("REQUIRED", "");
    app_.add_flag_callback(
        "--version", [this] { parsed_.action = [] { return run_version(Format::text); }; },
        "Show the version");
    add_servers();
    add_partner();
    add_key();
    add_master_key();
    add_line();
    add_tier();
    add_upload();
    add_receive();
    add_webhook();
    add_audit();
    add_erase();
    add_maintenance();
    add_backup();
    add_help();
}

CLI::App* CommandLine::find_command(const std::vector<std::string>& words) {
    CLI::App* command = &app_;
    for (const auto& word : words) {
        const auto children = command->get_subcommands([](CLI::App*) { return true; });
        const auto found = std::ranges::find_if(
            children, [&word](const CLI::App* child) { return child->get_name() == word; });
        if (found == children.end()) return nullptr;
        command = *found;
    }
    return command;
}

// With the whole command in the usage line.
std::string CommandLine::help_of(const CLI::App* command) {
    std::string before;
    for (const CLI::App* parent = command->get_parent(); parent != nullptr;
         parent = parent->get_parent()) {
        before.insert(0, parent->get_name() + (before.empty() ? "" : " "));
    }
    return command->help(before);
}

Result<int> CommandLine::show_help() {
    // A parser that has read something explains that command whatever it is asked for.
    CommandLine unread;
    CLI::App* command = unread.find_command(parsed_.help_words);
    if (command == nullptr) {
        std::fputs("satchel: no such command; satchel help lists them\n", stderr);
        return exit_wrong_command_line;
    }
    print(help_of(command));
    return 0;
}

Result<int> CommandLine::show_completion() {
    CommandNode root = describe(&app_);
    for (CommandNode& command : root.commands) {
        if (command.name == "completion") command.words = {"bash", "zsh"};
    }
    print(completion_script(parsed_.shell, root).value_or(""));
    return 0;
}

// "help partner add" for the innermost command that was named.
std::string CommandLine::path_of_parsed() const {
    std::string path = "satchel help";
    const CLI::App* command = &app_;
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
        path += " " + command->get_name();
    }
    return path;
}

int CommandLine::run(int argc, char** argv) {
    if (argc < 2) {
        std::fputs(app_.help().c_str(), stderr);
        return exit_wrong_command_line;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        app_.require_subcommand(0);
    }
    try {
        app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const CLI::App* command = &app_;
        while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
        print(help_of(command));
        return 0;
    } catch (const CLI::ParseError& error) {
        std::string message = error.what();
        std::ranges::replace(message, '\n', ' ');
        std::fprintf(stderr, "satchel: %s; see %s\n", message.c_str(), path_of_parsed().c_str());
        return exit_wrong_command_line;
    }
    const auto outcome = parsed_.action();
    if (outcome) return *outcome;
    std::fprintf(stderr, "satchel: %s\n", operator_message(outcome.error()).c_str());
    return exit_failed;
}

int run_command_line(int argc, char** argv) {
    try {
        return CommandLine().run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "satchel: %s\n", error.what());
        return exit_failed;
    }
}

}  // namespace satchel::app