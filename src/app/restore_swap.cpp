#include "app/restore_swap.hpp"

#include "app/output.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>
#include <set>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Move {
    fs::path from;
    fs::path to;
};

constexpr std::string_view staged_suffix = ".restoring";

fs::path with_suffix(const fs::path& path, std::string_view suffix) {
    return path.string() + std::string(suffix);
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error));
}

std::string to_text(const std::vector<Move>& moves) {
    json::array rows;
    for (const Move& move : moves) {
        rows.push_back(json::object{{"from", move.from.string()}, {"to", move.to.string()}});
    }
    return json::serialize(json::object{{"moves", std::move(rows)}}) + "\n";
}

Result<std::vector<Move>> moves_in(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    const auto* const object = error ? nullptr : value.if_object();
    const auto* const rows = object == nullptr ? nullptr : object->if_contains("moves");
    std::vector<Move> moves;
    if (rows == nullptr || !rows->is_array()) {
        return refuse(file.string() + " is damaged; move it away and restore once more",
                      Errc::corrupt);
    }
    for (const json::value& row : rows->get_array()) {
        moves.push_back(
            {std::string(row.at("from").as_string()), std::string(row.at("to").as_string())});
    }
    return moves;
}

// What was moved already is gone from where it was.
Result<> carry_out(const std::vector<Move>& moves) {
    std::set<fs::path> folders;
    for (const Move& move : moves) {
        std::error_code error;
        if (is_there(move.from)) fs::rename(move.from, move.to, error);
        if (error) {
            return refuse("cannot move " + move.from.string() + " to " + move.to.string() + ": " +
                              error.message() + "; put that right and restore again",
                          Errc::unavailable);
        }
        folders.insert(move.to.parent_path());
    }
    for (const fs::path& folder : folders) CHECK(sync_folder(folder));
    return {};
}

Result<> carry_out_for_good(const std::vector<Move>& moves, const fs::path& journal) {
    CHECK(carry_out(moves));
    std::error_code error;
    fs::remove(journal, error);
    return sync_folder(journal.parent_path());
}

}  // namespace

StagedPaths staged_paths(const StorePaths& paths) {
    return {fs::absolute(with_suffix(paths.sqlite, staged_suffix)),
            fs::absolute(with_suffix(paths.blobs, staged_suffix))};
}

bool is_occupied(const StorePaths& paths) {
    return is_there(paths.sqlite) || is_there(paths.blobs);
}

Result<std::vector<fs::path>> swap_in(const StorePaths& paths,
                                      const StagedPaths& staged,
                                      const std::string& stamp) {
    const fs::path database = fs::absolute(paths.sqlite);
    const fs::path blobs = fs::absolute(paths.blobs);
    const std::string aside = ".replaced-" + stamp;
    std::vector<Move> moves;
    std::vector<fs::path> replaced;
    // A log belongs to its database by name.
    for (const char* suffix : {"", "-wal", "-shm"}) {
        const fs::path from = with_suffix(database, suffix);
        if (is_there(from)) moves.push_back({from, with_suffix(database, aside + suffix)});
    }
    if (is_there(blobs)) moves.push_back({blobs, with_suffix(blobs, aside)});
    for (const Move& move : moves) replaced.push_back(move.to);
    moves.push_back({staged.database, database});
    moves.push_back({staged.blobs, blobs});
    const fs::path journal = fs::absolute(paths.folder / restore_file_name);
    CHECK(write_durable_file(journal, to_text(moves)));
    CHECK(carry_out_for_good(moves, journal));
    return replaced;
}

Result<bool> finish_swap(const StorePaths& paths) {
    const fs::path journal = fs::absolute(paths.folder / restore_file_name);
    if (!is_there(journal)) return false;
    TRY(const auto moves, moves_in(journal));
    CHECK(carry_out_for_good(moves, journal));
    return true;
}

}  // namespace satchel::app
