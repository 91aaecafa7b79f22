#include "app/store_paths.hpp"

#include "app/config.hpp"
#include "app/key_work.hpp"
#include "app/output.hpp"

namespace satchel::app {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<StorePaths> store_paths(const ServerChoice& choice) {
    if (!choice.config.empty()) {
        TRY(const Config config, load_config({}, choice.config, process_environment()));
        return StorePaths{config.metadata.sqlite, config.blobs.local,
                          config.encryption.master_key_file, config.encryption.master_key_command,
                          config.data_folder()};
    }
    const fs::path folder(choice.data.empty() ? default_data_folder
                                              : std::string_view(choice.data));
    return StorePaths{folder / "satchel.db", folder / "blobs", folder / "master.key", {}, folder};
}

Result<> check_no_restore(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(folder / restore_file_name, error)) return {};
    return refuse("a restore into " + folder.string() +
                      " was interrupted; run the same satchel restore again, which finishes it",
                  Errc::conflict);
}

Result<StorePaths> find_store(const ServerChoice& choice) {
    TRY(StorePaths paths, store_paths(choice));
    CHECK(check_no_restore(paths.folder));
    std::error_code error;
    if (fs::exists(paths.sqlite, error)) return paths;
    return refuse("there is no store at " + paths.folder.string() +
                      "; name its folder with --data DIR or its settings with --config FILE",
                  Errc::not_found);
}

Result<crypto::KeyRing> read_keys(const StorePaths& paths) {
    return make_key_source(paths.master_key, paths.master_key_command)->read();
}

}  // namespace satchel::app
