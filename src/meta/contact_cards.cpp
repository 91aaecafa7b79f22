#include "meta/contact_cards.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

#define SATCHEL_CARD_COLUMNS                                                              \
    "c.partner, c.line, c.sealed_first_name, c.sealed_last_name, c.image, c.created_at, " \
    "c.updated_at"
// A card stays when its line goes, and is there again when the line comes back.
#define SATCHEL_CARD_TABLES \
    "contact_cards c JOIN lines l ON l.number = c.line AND l.partner = c.partner"

constexpr std::string_view first_name_field = "contact first name";
constexpr std::string_view last_name_field = "contact last name";

// Whose the sealed names are: those of a line, while this partner has it.
Bytes owner_of(PartnerId partner, std::string_view line) {
    Bytes owner(partner.bytes().begin(), partner.bytes().end());
    const ByteView number = as_bytes(line);
    owner.insert(owner.end(), number.begin(), number.end());
    return owner;
}

struct SealedNames {
    Bytes first;
    std::optional<Bytes> last;
};

SealedNames seal_names(const Session& session, const ContactCardRow& row) {
    const Bytes owner = owner_of(row.partner, row.line);
    SealedNames out{session.texts().seal(first_name_field, owner, row.first_name), {}};
    if (!row.last_name.empty()) {
        out.last = session.texts().seal(last_name_field, owner, row.last_name);
    }
    return out;
}

auto reader(const Session& session) {
    return [&session](const Statement& row) -> Result<ContactCardRow> {
        ContactCardRow out;
        TRY(out.partner, id_at<PartnerId>(row, 0));
        out.line = row.text(1);
        const Bytes owner = owner_of(out.partner, out.line);
        TRY(out.first_name, sealed_text_at(row, 2, session, first_name_field, owner));
        if (!row.is_null(3)) {
            TRY(out.last_name, sealed_text_at(row, 3, session, last_name_field, owner));
        }
        TRY(out.image, optional_id_at<AttachmentId>(row, 4));
        out.created_at = time_at(row, 5);
        out.updated_at = time_at(row, 6);
        return out;
    };
}

}  // namespace

Result<> insert_contact_card(Session& session, const ContactCardRow& row) {
    const SealedNames names = seal_names(session, row);
    return session.run(
        "INSERT INTO contact_cards (partner, line, sealed_first_name, sealed_last_name, image, "
        "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        row.partner, row.line, names.first, names.last, row.image, row.created_at, row.updated_at);
}

Result<> update_contact_card(Session& session, const ContactCardRow& row) {
    const SealedNames names = seal_names(session, row);
    return session.run(
        "UPDATE contact_cards SET sealed_first_name = $3, sealed_last_name = $4, image = $5, "
        "updated_at = $6 WHERE partner = $1 AND line = $2",
        row.partner, row.line, names.first, names.last, row.image, row.updated_at);
}

Result<std::optional<ContactCardRow>> find_contact_card(Session& session,
                                                        PartnerId partner,
                                                        std::string_view line) {
    TRY(auto statement, session.query("SELECT " SATCHEL_CARD_COLUMNS " FROM " SATCHEL_CARD_TABLES
                                      " WHERE c.partner = $1 AND c.line = $2",
                                      partner, line));
    return first_row(*statement, reader(session));
}

Result<std::vector<ContactCardRow>> contact_cards_of(Session& session, PartnerId partner) {
    TRY(auto statement, session.query("SELECT " SATCHEL_CARD_COLUMNS " FROM " SATCHEL_CARD_TABLES
                                      " WHERE c.partner = $1 ORDER BY c.line",
                                      partner));
    return all_rows(*statement, reader(session));
}

Result<std::vector<LineRow>> line_rows_of(Session& session, PartnerId partner) {
    TRY(auto statement, session.query("SELECT number, forwarding_number FROM lines "
                                      "WHERE partner = $1 ORDER BY number",
                                      partner));
    return all_rows(*statement, [](const Statement& row) -> Result<LineRow> {
        LineRow out{std::string(row.text(0)), {}};
        if (!row.is_null(1)) out.forwarding_number = row.text(1);
        return out;
    });
}

Result<> set_forwarding_number(Session& session, const LineRow& line) {
    return session.run("UPDATE lines SET forwarding_number = $2 WHERE number = $1", line.number,
                       line.forwarding_number);
}

}  // namespace satchel::meta
