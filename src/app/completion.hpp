// Shell completion scripts, made from the command tree itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::app {

struct CommandNode {
    std::string name;
    std::vector<std::string> words;  // Options, and arguments from a fixed set.
    std::vector<CommandNode> commands;
};

// A script for "bash" or "zsh"; nullopt for another shell. File names are completed where no
// command or option fits.
std::optional<std::string> completion_script(std::string_view shell, const CommandNode& root);

}  // namespace satchel::app
