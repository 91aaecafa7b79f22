// Table contact_cards, and where calls to a line are forwarded.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::meta {

struct ContactCardRow {
    PartnerId partner;
    std::string line;
    std::string first_name;
    std::string last_name;  // Empty: none.
    std::optional<AttachmentId> image;
    Time created_at{};
    Time updated_at{};
};

// Errc::conflict if the line has one.
Result<> insert_contact_card(Session& session, const ContactCardRow& row);
Result<> update_contact_card(Session& session, const ContactCardRow& row);
// Of lines that the partner has now.
Result<std::optional<ContactCardRow>> find_contact_card(Session& session,
                                                        PartnerId partner,
                                                        std::string_view line);
Result<std::vector<ContactCardRow>> contact_cards_of(Session& session, PartnerId partner);

// In order of the lines' numbers; `forwarding_number` absent: calls are not forwarded.
struct LineRow {
    std::string number;
    std::optional<std::string> forwarding_number;
};
Result<std::vector<LineRow>> line_rows_of(Session& session, PartnerId partner);
Result<> set_forwarding_number(Session& session, const LineRow& line);

}  // namespace satchel::meta
