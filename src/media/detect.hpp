// Says what content is by its bytes alone (contract sections 2.6 and 10.17). Nothing is decoded:
// this compares marks and follows the few offsets that lead to them. The table for people is
// docs/api/content-types.md.
//
// The beginning decides: a GIF that goes on as HTML is a GIF, a program with a ZIP behind it is a
// program. Content without a known beginning is also looked at from its end (ZIP with something
// in front of it). What a cut or damaged file cannot prove any more is a guess or unknown.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "media/content.hpp"
#include "media/detected.hpp"

#include <cstddef>

namespace satchel::media {

// Reads at most limits::detect_bytes_max in at most limits::detect_reads_max reads, most often one
// of limits::detect_head_bytes. `content` must outlive the call, and be used by nobody else
// meanwhile.
// Errors: those of content.read_at(), and no other.
Async<Detected> detect(Content& content);

// How many first bytes is_forbidden_head() needs, at most.
inline constexpr std::size_t sniff_bytes = 64;

// Whether the beginning alone forbids the content (contract section 2.3): programs, scripts, FLAC
// and OGG. `head` is sniff_bytes of it or all. What this forbids, detect() forbids too; detect()
// finds more, such as programs in archives.
bool is_forbidden_head(ByteView head);

}  // namespace satchel::media
