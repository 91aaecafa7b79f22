// What a backup's folder says about itself, and files that are written so that a crash leaves the
// old or the new. Format: docs/formats/backup.md.
//
// Everything blocks. Errors carry a line for the operator in `message`.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/audit.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

struct BackupManifest {
    bool complete = false;  // False: the first backup into this folder never ended.
    Time made_at{};
    std::string database;  // File name in the folder.
    std::uint64_t database_bytes = 0;
    std::string database_sha256;    // Hex.
    std::uint64_t attachments = 0;  // With bytes.
    std::uint64_t blobs = 0;
    std::uint64_t blob_bytes = 0;  // Of their files.
    AuditKey audit_key{};
    AuditPosition audit_end;
    // Attachments whose bytes the store itself had lost.
    std::vector<std::string> lost;
};

inline constexpr std::string_view backup_manifest_name = "backup.json";
inline constexpr std::string_view backup_blobs_name = "blobs";

std::string to_json_text(const BackupManifest& manifest);
// Nullopt: this is no manifest, or was changed.
std::optional<BackupManifest> manifest_from(std::string_view text);

// Nullopt if the folder has none; Errc::corrupt if it cannot be understood; Errc::invalid_argument
// if a newer release wrote it.
Result<std::optional<BackupManifest>> read_manifest(const std::filesystem::path& folder);
// Replaces it in one step, durable.
Result<> write_manifest(const std::filesystem::path& folder, const BackupManifest& manifest);

// Replaces `file` in one step, mode 0600, durable.
Result<> write_durable_file(const std::filesystem::path& file, std::string_view content);

struct FileDigest {
    std::uint64_t bytes = 0;
    std::string sha256;
};
// Makes the file durable first.
Result<FileDigest> sync_and_digest(const std::filesystem::path& file);

// Overwrites the file with zeros before it removes its name: what it held is gone from disks that
// write in place. What is absent is removed.
Result<> destroy_file(const std::filesystem::path& file);

Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace satchel
