#include "service/backup_manifest.hpp"

#include "base/bytes.hpp"
#include "base/descriptor.hpp"
#include "base/limits.hpp"
#include "base/rfc3339.hpp"
#include "crypto/digest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace satchel {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::int64_t format_version = 1;

std::unexpected<Error> refused(Errc code, const std::string& message) {
    return std::unexpected(Error{code, nullptr, message, message});
}

std::unexpected<Error> cannot(std::string_view what, const fs::path& file) {
    const int reason = errno;
    return refused(
        reason == ENOENT ? Errc::not_found : Errc::unavailable,
        "cannot " + std::string(what) + " " + file.string() + ": " + std::strerror(reason));
}

Result<> write_all(const Descriptor& file, ByteView content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t count = ::write(file.number(), content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot("write", path);
        content = content.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

// Fields of one object; any that is missing or of another type makes the whole one wrong.
class Fields {
public:
    explicit Fields(const json::object& object) : object_(object) {}

    std::string text(std::string_view name) {
        const auto* const value = object_.if_contains(name);
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        is_whole_ = false;
        return {};
    }
    std::uint64_t number(std::string_view name) {
        const auto* const value = object_.if_contains(name);
        if (value != nullptr && value->is_int64() && value->get_int64() >= 0) {
            return static_cast<std::uint64_t>(value->get_int64());
        }
        is_whole_ = false;
        return 0;
    }
    template <std::size_t size>
    std::array<std::byte, size> hex(std::string_view name) {
        std::array<std::byte, size> out{};
        const auto bytes = from_hex(text(name));
        if (bytes && bytes->size() == size) {
            std::ranges::copy(*bytes, out.begin());
        } else {
            is_whole_ = false;
        }
        return out;
    }
    Time time(std::string_view name) {
        const auto read = parse_rfc3339(text(name));
        is_whole_ = is_whole_ && read.has_value();
        return read.value_or(Time{});
    }
    json::object object(std::string_view name) {
        const auto* const value = object_.if_contains(name);
        if (value != nullptr && value->is_object()) return value->get_object();
        is_whole_ = false;
        return {};
    }
    std::vector<std::string> texts(std::string_view name) {
        std::vector<std::string> out;
        const auto* const value = object_.if_contains(name);
        is_whole_ = is_whole_ && value != nullptr && value->is_array();
        if (!is_whole_) return out;
        for (const json::value& each : value->get_array()) {
            is_whole_ = is_whole_ && each.is_string();
            if (is_whole_) out.emplace_back(each.get_string());
        }
        return out;
    }
    bool is_whole() const { return is_whole_; }

private:
    const json::object& object_;
    bool is_whole_ = true;
};

// A file in the folder, not a path out of it.
bool is_plain_name(std::string_view name) {
    return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

std::optional<json::object> parse_object(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

}  // namespace

std::string to_json_text(const BackupManifest& manifest) {
    json::object out{{"satchel_backup", format_version}, {"complete", manifest.complete}};
    if (manifest.complete) {
        out["made_at"] = to_rfc3339(manifest.made_at);
        out["database"] = {{"file", manifest.database},
                           {"bytes", manifest.database_bytes},
                           {"sha256", manifest.database_sha256}};
        out["attachments"] = manifest.attachments;
        out["blobs"] = {{"count", manifest.blobs}, {"bytes", manifest.blob_bytes}};
        out["audit"] = {{"key", to_hex(manifest.audit_key)},
                        {"seq", manifest.audit_end.seq},
                        {"hash", to_hex(manifest.audit_end.hash)}};
        out["lost"] = json::value_from(manifest.lost);
    }
    return json::serialize(out) + "\n";
}

std::optional<BackupManifest> manifest_from(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const auto* const complete = object->if_contains("complete");
    if (complete == nullptr || !complete->is_bool()) return std::nullopt;
    BackupManifest out;
    out.complete = complete->get_bool();
    if (!out.complete) return out;
    Fields all(*object);
    const json::object database = all.object("database");
    const json::object blobs = all.object("blobs");
    const json::object audit = all.object("audit");
    Fields of_database(database);
    Fields of_blobs(blobs);
    Fields of_audit(audit);
    out.made_at = all.time("made_at");
    out.attachments = all.number("attachments");
    out.lost = all.texts("lost");
    out.database = of_database.text("file");
    out.database_bytes = of_database.number("bytes");
    out.database_sha256 = of_database.text("sha256");
    out.blobs = of_blobs.number("count");
    out.blob_bytes = of_blobs.number("bytes");
    out.audit_key = of_audit.hex<AuditKey{}.size()>("key");
    out.audit_end.seq = of_audit.number("seq");
    out.audit_end.hash = of_audit.hex<AuditHash{}.size()>("hash");
    const bool is_whole = all.is_whole() && of_database.is_whole() && of_blobs.is_whole() &&
                          of_audit.is_whole() && is_plain_name(out.database);
    return is_whole ? std::optional(std::move(out)) : std::nullopt;
}

Result<std::optional<BackupManifest>> read_manifest(const fs::path& folder) {
    const fs::path file = folder / backup_manifest_name;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        if (errno == ENOENT) return std::optional<BackupManifest>{};
        return cannot("read", file);
    }
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto object = parse_object(text);
    const auto* const version = object ? object->if_contains("satchel_backup") : nullptr;
    if (version != nullptr && version->is_int64() && version->get_int64() > format_version) {
        return refused(Errc::invalid_argument,
                       file.string() + " was written by a newer release: use that release");
    }
    auto manifest = version != nullptr ? manifest_from(text) : std::nullopt;
    if (!manifest) {
        return refused(Errc::corrupt, file.string() + " is damaged, or of another program");
    }
    return manifest;
}

Result<> write_manifest(const fs::path& folder, const BackupManifest& manifest) {
    return write_durable_file(folder / backup_manifest_name, to_json_text(manifest));
}

Result<> write_durable_file(const fs::path& file, std::string_view content) {
    const fs::path temporary = file.string() + ".new";
    ::unlink(temporary.c_str());
    {
        const Descriptor out(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (out.number() < 0) return cannot("write", temporary);
        CHECK(write_all(out, as_bytes(content), temporary));
        if (::fsync(out.number()) != 0) return cannot("sync", temporary);
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) return cannot("replace", file);
    return sync_folder(file.parent_path());
}

Result<FileDigest> sync_and_digest(const fs::path& file) {
    const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (in.number() < 0) return cannot("read", file);
    if (::fsync(in.number()) != 0) return cannot("sync", file);
    FileDigest out;
    crypto::Digest digest(crypto::DigestKind::sha256);
    Bytes buffer(limits::backup_buffer_bytes);
    while (true) {
        const ssize_t count = ::read(in.number(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot("read", file);
        if (count == 0) break;
        digest.update(ByteView(buffer).first(static_cast<std::size_t>(count)));
        out.bytes += static_cast<std::uint64_t>(count);
    }
    out.sha256 = to_hex(digest.finish());
    return out;
}

Result<> destroy_file(const fs::path& file) {
    const Descriptor out(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (out.number() < 0) {
        if (errno == ENOENT) return {};
        return cannot("write", file);
    }
    struct stat status{};
    if (::fstat(out.number(), &status) != 0) return cannot("look at", file);
    const Bytes zeros(limits::backup_buffer_bytes);
    auto left = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
    while (left > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, zeros.size()));
        CHECK(write_all(out, ByteView(zeros).first(count), file));
        left -= count;
    }
    if (::fsync(out.number()) != 0) return cannot("sync", file);
    if (::unlink(file.c_str()) != 0) return cannot("remove", file);
    return {};
}

Result<> sync_folder(const fs::path& folder) {
    const fs::path named = folder.empty() ? fs::path(".") : folder;
    const Descriptor open(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open.number() < 0 || ::fsync(open.number()) != 0) return cannot("sync", named);
    return {};
}

}  // namespace satchel
