// What becomes of content that was declared to be one thing and turned out to be another:
// contract sections 3.4, 10.15 and 10.17. Pure rules; the table for people is
// docs/api/content-types.md.
#pragma once

#include "base/result.hpp"
#include "media/detected.hpp"
#include "model/content_type.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::media {

enum class Outcome : std::uint8_t {
    accepted,
    forbidden,    // Never sent, whatever it was called: reasons::invalid_file_type.
    contradicts,  // Another kind altogether: reasons::content_type_mismatch.
};

struct Judgement {
    Outcome outcome = Outcome::accepted;
    // What the content is to be known as; the recipient gets its ContentType::delivered. Null
    // unless accepted, and then never.
    const ContentType* type = nullptr;
    std::string message;  // For the client. Empty if accepted.
};

// An upload. The type is the detected one, if it is of the declared kind; the declared one where
// bytes cannot tell. A declared type that is not known any more says nothing.
Judgement judge(std::string_view declared,
                const Detected& detected,
                const ContentTypePolicy& policy);

struct Fetched {
    std::string_view content_type;  // Of the answer; may be empty or nonsense.
    std::string_view extension;     // Of the URL's last segment, without a dot; may be empty.
};

// Media by URL: by the bytes, else by the answer's Content-Type, else by the URL's extension.
// contradicts only if the bytes are of another kind than the extension; the answer's
// Content-Type is often wrong and refuses nothing. forbidden also if nothing tells a type.
Judgement judge_fetched(const Fetched& fetched,
                        const Detected& detected,
                        const ContentTypePolicy& policy);

// A judgement that was not accepted as the error of a send.
Result<> check_judgement(const Judgement& judgement);

}  // namespace satchel::media
