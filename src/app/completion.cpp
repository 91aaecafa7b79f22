#include "app/completion.hpp"

namespace satchel::app {
namespace {

// The words before the cursor that name commands, joined by blanks, select the case.
void append_cases(std::string& out, const CommandNode& node, const std::string& path) {
    out += "        \"" + path + "\") candidates=\"";
    std::string words;
    for (const CommandNode& child : node.commands) {
        words += (words.empty() ? "" : " ") + child.name;
    }
    for (const std::string& word : node.words) words += (words.empty() ? "" : " ") + word;
    out += words + "\" ;;\n";
    for (const CommandNode& child : node.commands) {
        append_cases(out, child, path.empty() ? child.name : path + " " + child.name);
    }
}

void append_paths(std::string& out, const CommandNode& node, const std::string& path) {
    for (const CommandNode& child : node.commands) {
        const std::string child_path = path.empty() ? child.name : path + " " + child.name;
        out += (out.empty() ? "\"" : "|\"") + child_path + "\"";
        append_paths(out, child, child_path);
    }
}

std::string bash_script(const std::string& cases, const std::string& paths) {
    return "# bash completion for satchel. Use: source <(satchel completion bash)\n"
           "_satchel() {\n"
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" word next candidates=\"\"\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        next=\"${path:+$path }$word\"\n"
           "        case \"$next\" in " +
           paths +
           ") path=\"$next\" ;; esac\n"
           "    done\n"
           "    case \"$path\" in\n" +
           cases +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$candidates\" -- \"$current\"))\n"
           "}\n"
           "complete -o default -F _satchel satchel\n";
}

std::string zsh_script(const std::string& cases, const std::string& paths) {
    return "#compdef satchel\n"
           "# zsh completion for satchel. Use: satchel completion zsh > DIR_OF_FPATH/_satchel\n"
           "_satchel() {\n"
           "    local command_path=\"\" word next candidates=\"\"\n"
           "    for word in \"${words[@]:1:$((CURRENT - 2))}\"; do\n"
           "        next=\"${command_path:+$command_path }$word\"\n"
           "        case \"$next\" in (" +
           paths +
           ") command_path=\"$next\" ;; esac\n"
           "    done\n"
           "    case \"$command_path\" in\n" +
           cases +
           "    esac\n"
           "    compadd -- ${=candidates} || _files\n"
           "}\n"
           "if [ \"$funcstack[1]\" = \"_satchel\" ]; then\n"
           "    _satchel \"$@\"\n"
           "else\n"
           "    compdef _satchel satchel\n"
           "fi\n";
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell, const CommandNode& root) {
    std::string cases;
    append_cases(cases, root, "");
    std::string paths;
    append_paths(paths, root, "");
    if (shell == "bash") return bash_script(cases, paths);
    if (shell == "zsh") return zsh_script(cases, paths);
    return std::nullopt;
}

}  // namespace satchel::app
