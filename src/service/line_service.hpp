// A partner's lines: where their calls are forwarded, their contact cards, and which of them to
// write from. Contract section 6.
//
// Usable from every loop at once. A line that is not the partner's: phone_permission_denied.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "meta/contact_cards.hpp"
#include "meta/database.hpp"
#include "model/vcard.hpp"
#include "service/picture.hpp"

#include <optional>
#include <string>
#include <vector>

namespace satchel {

struct PhoneLine {
    Uuid id;
    std::string number;  // E.164
    std::optional<std::string> forwarding_number;
};

struct ContactCard {
    std::string line;
    std::string first_name;
    std::string last_name;  // Empty: none.
    std::string image_url;  // Empty: none, or its attachment was deleted.
};

// Absent: as it was. Empty: none any more.
struct ContactCardUpdate {
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
    std::optional<std::string> image_url;
};

class LineService {
public:
    struct Parts {
        meta::Database& database;
        MediaService& media;
        const Clock& clock;
    };
    // What a change expects of a line's card.
    enum class CardIs : bool { new_, there };
    explicit LineService(Parts parts) : parts_(parts) {}

    // In order of their numbers.
    Async<std::vector<PhoneLine>> lines(PartnerId partner);
    // reasons::phone_number_not_found. Absent: calls are not forwarded any more.
    Async<PhoneLine> set_forwarding_number(PartnerId partner,
                                           Uuid id,
                                           std::optional<std::string> number);

    // reasons::contact_card_exists, and those of fetch_picture() and keep_picture().
    Async<ContactCard> create_card(PartnerId partner, ContactCard card);
    // reasons::contact_card_not_found, and those as above.
    Async<ContactCard> update_card(PartnerId partner, std::string line, ContactCardUpdate update);
    Async<std::vector<ContactCard>> cards(PartnerId partner);

    // As POST /v3/messages chooses. reasons::state_conflict if no line can send.
    Async<std::string> available(PartnerId partner,
                                 std::vector<std::string> to,
                                 std::vector<std::string> excluded);
    // The line's contact card with its number, then the partner's other numbers.
    Async<VCard> vcard(PartnerId partner, std::string line);

private:
    Async<ContactCard> change_card(PartnerId partner,
                                   std::string line,
                                   ContactCardUpdate update,
                                   CardIs card_is);
    Result<ContactCard> shown(meta::Session& session, const meta::ContactCardRow& row) const;
    Parts parts_;
};

}  // namespace satchel
