#include "app/cli.hpp"

int main(int argc, char** argv) {
    return satchel::app::run_command_line(argc, argv);
}
