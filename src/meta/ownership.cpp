#include "meta/ownership.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

// One row at `found`, or, if there is none, the one at or behind a place that $2 chooses. Both
// places are looked up for either. No ORDER BY: rows come by seq, and a sorter would read all.
#define SATCHEL_OWNER_IN(table)                                      \
    "WITH place AS MATERIALIZED (SELECT (SELECT seq FROM " table     \
    " WHERE id = $1) AS found, (SELECT max(seq) FROM " table         \
    ") AS last) SELECT t.id, t.partner FROM place CROSS JOIN " table \
    " t WHERE t.seq >= coalesce(place.found, $2 % place.last) LIMIT 1"

constexpr std::uint64_t positive = ~std::uint64_t{0} >> 1;

template <class IdType>
Result<bool> is_owned(Session& session, const char* sql, IdType id, PartnerId partner) {
    const std::uint64_t choice = read_u64(id.bytes().data() + 8) & positive;
    TRY(auto statement, session.query(sql, id, choice));
    TRY(const bool found, statement->step());
    if (!found) return false;
    TRY(const auto found_id, id_at<IdType>(*statement, 0));
    TRY(const auto owner, id_at<PartnerId>(*statement, 1));
    return found_id == id && owner == partner;
}

}  // namespace

Result<std::optional<AttachmentRow>> find_own_attachment(Session& session,
                                                         AttachmentId id,
                                                         PartnerId partner,
                                                         Time now) {
    TRY(const bool is_own, is_owned(session, SATCHEL_OWNER_IN("attachments"), id, partner));
    if (!is_own) return std::optional<AttachmentRow>{};
    return find_attachment(session, id, now);
}

Result<std::optional<ChatRow>> find_own_chat(Session& session, ChatId id, PartnerId partner) {
    TRY(const bool is_own, is_owned(session, SATCHEL_OWNER_IN("chats"), id, partner));
    if (!is_own) return std::optional<ChatRow>{};
    return find_chat(session, id);
}

Result<std::optional<MessageRow>> find_own_message(Session& session,
                                                   MessageId id,
                                                   PartnerId partner,
                                                   Time now) {
    TRY(const bool is_own, is_owned(session, SATCHEL_OWNER_IN("messages"), id, partner));
    if (!is_own) return std::optional<MessageRow>{};
    return find_message(session, id, now);
}

}  // namespace satchel::meta
