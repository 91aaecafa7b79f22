// The command line: reads it, runs the command, reports. Returns the process's exit code.
#pragma once

namespace satchel::app {

int run_command_line(int argc, char** argv);

}  // namespace satchel::app
