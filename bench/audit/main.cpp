// How many entries of the deletion audit are verified a second: satchel_audit_bench [ENTRIES].
// Makes them in a folder of its own under the temporary folder. Prints one JSON object.
#include "app/run_to_end.hpp"
#include "crypto/key_ring.hpp"
#include "meta/audit.hpp"
#include "meta/sqlite.hpp"
#include "service/audit.hpp"

#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using namespace satchel;

constexpr std::uint64_t entries_default = 1'000'000;
constexpr std::uint64_t entries_per_write = 1000;

Result<> append(meta::Session& session, const std::string& actor) {
    for (std::uint64_t i = 0; i < entries_per_write; ++i) {
        CHECK(meta::append_audit(session, {Clock().now(), PartnerId::random(),
                                           AttachmentId::random(), "delete", actor}));
    }
    return {};
}

// Seconds that the walk took.
Result<double> measure(const std::filesystem::path& folder, std::uint64_t entries) {
    CHECK(crypto::KeyRing::create(folder / "master.key"));
    TRY(const crypto::KeyRing keys, crypto::KeyRing::open(folder / "master.key"));
    TRY(const auto database, meta::open_sqlite({.file = folder / "satchel.db", .keys = &keys}));
    Loop loop(1);
    const std::string actor = "key:" + Uuid::random().str();
    for (std::uint64_t made = 0; made < entries; made += entries_per_write) {
        auto write = [&actor](meta::Session& session) { return append(session, actor); };
        CHECK(app::run_to_end(loop, database->write(write)));
    }
    const auto begin = std::chrono::steady_clock::now();
    TRY(const AuditVerdict verdict, app::run_to_end(loop, verify_audit(*database, {})));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (verdict.problem) return fail(Errc::corrupt, *verdict.problem);
    return took.count();
}

}  // namespace

int main(int argc, char** argv) {
    const auto wanted = argc > 1 ? parse_u64(argv[1]) : entries_default;
    std::string folder = (std::filesystem::temp_directory_path() / "satchel-audit-XXXXXX").string();
    if (!wanted || *wanted % entries_per_write != 0 || ::mkdtemp(folder.data()) == nullptr) {
        std::fputs("usage: satchel_audit_bench [ENTRIES, in thousands]\n", stderr);
        return 2;
    }
    const auto seconds = measure(folder, *wanted);
    std::filesystem::remove_all(folder);
    if (!seconds) {
        std::fprintf(stderr, "satchel_audit_bench: %s\n", seconds.error().detail.c_str());
        return 1;
    }
    std::printf("{\"entries\":%llu,\"seconds\":%.3f,\"entries_per_second\":%.0f}\n",
                static_cast<unsigned long long>(*wanted), *seconds,
                static_cast<double>(*wanted) / *seconds);
    return 0;
}
