#include "base/result.hpp"
#include "media/detect.hpp"
#include "media/judge.hpp"
#include "tests/support/run.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using satchel::ByteView;
using satchel::media::Certainty;
using satchel::media::Detected;
using satchel::media::Forbidden;
using satchel::media::Outcome;

// Holds the reader to what Content asks of it.
class StrictContent final : public satchel::media::Content {
public:
    explicit StrictContent(ByteView bytes) : bytes_(bytes) {}
    std::uint64_t size() const override { return bytes_.size(); }
    satchel::Async<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
        ASSERT(offset <= bytes_.size() && into.size() <= bytes_.size() - offset);
        std::ranges::copy(bytes_.subspan(offset, into.size()), into.begin());
        co_return into.size();
    }

private:
    ByteView bytes_;
};

void hold_to_the_rules(const Detected& detected) {
    ASSERT(detected.format.empty() == (detected.certainty == Certainty::none));
    ASSERT(detected.forbidden == Forbidden::no || detected.type.empty());
    if (detected.type.empty()) return;
    // Never an alias: the delivered name differs only where a conversion is meant.
    ASSERT(satchel::find_content_type(detected.type)->name == detected.type);
    ASSERT(detected.type != "audio/mp3" && detected.type != "audio/mp4");
    ASSERT(detected.type != "audio/aiff" && detected.type != "video/mpeg2");
}

}  // namespace

// The input is a file. Whatever it is, the answer is a type of the table or none, the head alone
// forbids no more than the whole, and every declared type gets a judgement.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    StrictContent content(bytes);
    const auto detected = satchel::test::run(satchel::media::detect(content));
    ASSERT(detected.has_value());
    hold_to_the_rules(*detected);
    const ByteView head = bytes.first(std::min(size, satchel::media::sniff_bytes));
    ASSERT(!satchel::media::is_forbidden_head(head) || detected->forbidden != Forbidden::no);
    for (const satchel::ContentType& type : satchel::content_types()) {
        const auto judgement = satchel::media::judge(type.name, *detected, {});
        ASSERT((judgement.type != nullptr) == (judgement.outcome == Outcome::accepted));
        const bool is_forbidden = detected->forbidden != Forbidden::no;
        ASSERT(!is_forbidden || judgement.outcome == Outcome::forbidden);
    }
    return 0;
}
