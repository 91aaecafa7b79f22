#include "crypto/audit_chain.hpp"

#include "base/bytes.hpp"
#include "crypto/digest.hpp"

#include <utility>

namespace satchel::crypto {
namespace {

constexpr std::size_t usual_bytes = 256;

// What is hashed or signed: a label, a zero byte, fields of fixed size, texts with their length.
class Text {
public:
    explicit Text(std::string_view label) {
        text_.reserve(usual_bytes);
        text_ += label;
        text_ += '\0';
    }
    Text& bytes(ByteView bytes) {
        text_ += as_text(bytes);
        return *this;
    }
    Text& number(std::uint64_t value) {
        append_u64(text_, value);
        return *this;
    }
    Text& time(Time value) { return number(static_cast<std::uint64_t>(to_micros(value))); }
    Text& text(std::string_view value) {
        append_u32(text_, static_cast<std::uint32_t>(value.size()));
        text_ += value;
        return *this;
    }
    Text& position(const AuditPosition& value) { return number(value.seq).bytes(value.hash); }
    ByteView view() const { return as_bytes(text_); }

private:
    std::string text_;
};

Text end_text(const AuditPosition& end) {
    Text text("satchel audit end v1");
    text.position(end);
    return text;
}

Text head_text(const AuditHead& head) {
    Text text("satchel audit head v1");
    text.position(head.position).time(head.issued_at);
    return text;
}

Text receipt_text(const AuditReceipt& receipt) {
    Text text("satchel audit receipt v1");
    text.position({receipt.link.seq, receipt.link.hash})
        .position(receipt.head)
        .time(receipt.issued_at);
    return text;
}

}  // namespace

AuditHash origin_hash(const AuditKey& key, const AuditOrigin& origin) {
    Text text("satchel audit origin v1");
    text.bytes(key).time(origin.begun_at).number(origin.inherited);
    return sha256(text.view());
}

AuditHash entry_hash(const AuditHash& previous, std::uint64_t seq, const AuditEntry& entry) {
    Text text("satchel audit entry v1");
    text.bytes(previous)
        .number(seq)
        .time(entry.at)
        .bytes(entry.partner.bytes())
        .bytes(entry.attachment.bytes())
        .text(entry.cause)
        .text(entry.actor);
    return sha256(text.view());
}

AuditSigner::AuditSigner(const Key& text_key)
    : signing_(derive(text_key, "satchel audit key v1", {})) {}

AuditSignature AuditSigner::sign_end(const AuditPosition& end) const {
    return signing_.sign(end_text(end).view());
}

AuditHead AuditSigner::head(const AuditPosition& position, Time issued_at) const {
    AuditHead head{position, issued_at, key(), {}};
    head.signature = signing_.sign(head_text(head).view());
    return head;
}

AuditReceipt AuditSigner::receipt(AuditLink link,
                                  const AuditHash& previous,
                                  const AuditPosition& head,
                                  Time issued_at) const {
    AuditReceipt receipt{std::move(link), previous, head, issued_at, key(), {}};
    receipt.signature = signing_.sign(receipt_text(receipt).view());
    return receipt;
}

bool is_signed_end(const AuditKey& key, const AuditPosition& end, const AuditSignature& signature) {
    return is_signed(key, end_text(end).view(), signature);
}

bool is_signed(const AuditHead& head) {
    return is_signed(head.key, head_text(head).view(), head.signature);
}

bool is_signed(const AuditReceipt& receipt) {
    const AuditLink& link = receipt.link;
    return entry_hash(receipt.previous, link.seq, link.entry) == link.hash &&
           is_signed(receipt.key, receipt_text(receipt).view(), receipt.signature);
}

AuditWalk::AuditWalk(const AuditPosition& start, AuditAnchors anchors)
    : anchors_(std::move(anchors)) {
    anchors_.erase(anchors_.begin(), anchors_.lower_bound(start.seq));
    move_to(start);
}

void AuditWalk::step(const AuditLink& link) {
    if (problem_) return;
    const std::uint64_t due = at_.seq + 1;
    if (link.seq > due) {
        problem_ = "entry " + std::to_string(due) + " is missing";
    } else if (link.seq < due) {
        problem_ = "entry " + std::to_string(link.seq) + " is out of order";
    } else if (entry_hash(at_.hash, link.seq, link.entry) != link.hash) {
        problem_ =
            "entry " + std::to_string(due) + " was changed, or does not follow the one before";
    } else {
        move_to({link.seq, link.hash});
    }
}

void AuditWalk::move_to(const AuditPosition& position) {
    const auto anchor = anchors_.begin();
    if (anchor != anchors_.end() && anchor->first == position.seq) {
        if (anchor->second != position.hash) {
            problem_ = "entry " + std::to_string(position.seq) + " is not the one known elsewhere";
            return;
        }
        anchors_.erase(anchor);
    }
    at_ = position;
}

void AuditWalk::finish(const AuditPosition& signed_end) {
    if (problem_) return;
    const std::string last = "the audit ends with entry " + std::to_string(at_.seq);
    if (signed_end.seq > at_.seq) {
        problem_ = last + ", but was signed up to entry " + std::to_string(signed_end.seq);
    } else if (signed_end != at_) {
        problem_ = last + ", which is not the end that was signed";
    } else if (!anchors_.empty()) {
        problem_ = last + ", but entry " + std::to_string(anchors_.rbegin()->first) +
                   " is known elsewhere";
    }
}

}  // namespace satchel::crypto
