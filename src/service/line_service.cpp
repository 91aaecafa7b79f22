#include "service/line_service.hpp"

#include "meta/chats.hpp"
#include "model/api_errors.hpp"
#include "service/line_choice.hpp"
#include "service/line_ids.hpp"

#include <algorithm>

namespace satchel {
namespace {

Result<> require_line(meta::Session& session, PartnerId partner, const std::string& line) {
    TRY(const auto owner, meta::owner_of_line(session, line));
    if (owner != partner) return fail(reasons::phone_permission_denied);
    return {};
}

// A card's row before a change: a new one, or the one that is there.
Result<meta::ContactCardRow> start_row(meta::Session& session,
                                       PartnerId partner,
                                       const std::string& line,
                                       LineService::CardIs card_is,
                                       Time now) {
    CHECK(require_line(session, partner, line));
    TRY(auto row, meta::find_contact_card(session, partner, line));
    if (card_is == LineService::CardIs::there) {
        if (!row) return fail(reasons::contact_card_not_found);
        return std::move(*row);
    }
    if (row) return fail(reasons::contact_card_exists);
    meta::ContactCardRow made;
    made.partner = partner;
    made.line = line;
    made.created_at = now;
    return made;
}

}  // namespace

Async<std::vector<PhoneLine>> LineService::lines(PartnerId partner) {
    auto list = [partner](meta::Session& session) -> Result<std::vector<PhoneLine>> {
        TRY(auto rows, meta::line_rows_of(session, partner));
        std::vector<PhoneLine> out;
        for (meta::LineRow& row : rows) {
            const Uuid id = line_id(partner, row.number);
            out.push_back({id, std::move(row.number), std::move(row.forwarding_number)});
        }
        return out;
    };
    co_return co_await parts_.database.read(std::move(list));
}

Async<PhoneLine> LineService::set_forwarding_number(PartnerId partner,
                                                    Uuid id,
                                                    std::optional<std::string> number) {
    auto set = [partner, id,
                number = std::move(number)](meta::Session& session) -> Result<PhoneLine> {
        TRY(auto rows, meta::line_rows_of(session, partner));
        for (meta::LineRow& row : rows) {
            if (line_id(partner, row.number) != id) continue;
            row.forwarding_number = number;
            CHECK(meta::set_forwarding_number(session, row));
            return PhoneLine{id, std::move(row.number), std::move(row.forwarding_number)};
        }
        return fail(reasons::phone_number_not_found);
    };
    co_return co_await parts_.database.write(std::move(set));
}

Result<ContactCard> LineService::shown(meta::Session& session,
                                       const meta::ContactCardRow& row) const {
    ContactCard card{row.line, row.first_name, row.last_name, {}};
    if (row.image) {
        TRY(const auto image, parts_.media.find(session, {*row.image, {}}));
        if (image) card.image_url = image->url;
    }
    return card;
}

Async<ContactCard> LineService::create_card(PartnerId partner, ContactCard card) {
    ContactCardUpdate all{std::move(card.first_name), std::move(card.last_name), std::nullopt};
    if (!card.image_url.empty()) all.image_url = std::move(card.image_url);
    co_return co_await change_card(partner, std::move(card.line), std::move(all), CardIs::new_);
}

Async<ContactCard> LineService::update_card(PartnerId partner,
                                            std::string line,
                                            ContactCardUpdate update) {
    co_return co_await change_card(partner, std::move(line), std::move(update), CardIs::there);
}

Async<ContactCard> LineService::change_card(PartnerId partner,
                                            std::string line,
                                            ContactCardUpdate update,
                                            CardIs card_is) {
    const Time now = parts_.clock.now();
    auto look = [&](meta::Session& session) -> Result<> {
        TRY([[maybe_unused]] const auto row, start_row(session, partner, line, card_is, now));
        return {};
    };
    CO_CHECK(co_await parts_.database.read(look));
    std::optional<Picture> image;
    if (update.image_url && !update.image_url->empty()) {
        CO_TRY(image, co_await fetch_picture(parts_.media, partner, *update.image_url));
    }
    auto write = [this, partner, line, update, card_is, image,
                  now](meta::Session& session) -> Result<ContactCard> {
        TRY(auto row, start_row(session, partner, line, card_is, now));
        if (update.first_name) row.first_name = *update.first_name;
        if (update.last_name) row.last_name = *update.last_name;
        const auto former = row.image;
        if (update.image_url) row.image.reset();
        if (image) {
            TRY(const Media media, keep_picture(session, parts_.media, partner, *image));
            row.image = media.id;
        }
        row.updated_at = now;
        CHECK(card_is == CardIs::there ? meta::update_contact_card(session, row)
                                       : meta::insert_contact_card(session, row));
        if (former) CHECK(meta::release_picture(session, *former, now));
        return shown(session, row);
    };
    auto written = co_await parts_.database.write(std::move(write));
    if (image) {
        co_await settle_picture(parts_.media, *image, written ? Kept::yes : Kept::no);
    }
    co_return written;
}

Async<std::vector<ContactCard>> LineService::cards(PartnerId partner) {
    auto list = [this, partner](meta::Session& session) -> Result<std::vector<ContactCard>> {
        TRY(const auto rows, meta::contact_cards_of(session, partner));
        std::vector<ContactCard> out;
        for (const meta::ContactCardRow& row : rows) {
            TRY(out.emplace_back(), shown(session, row));
        }
        return out;
    };
    co_return co_await parts_.database.read(std::move(list));
}

Async<std::string> LineService::available(PartnerId partner,
                                          std::vector<std::string> to,
                                          std::vector<std::string> excluded) {
    auto choose = [&](meta::Session& session) -> Result<std::string> {
        auto choice = choose_line(session, partner, to, excluded);
        if (choice) return std::move(choice->line);
        if (choice.error().reason != &reasons::no_eligible_line) {
            return std::unexpected(std::move(choice).error());
        }
        return fail(reasons::state_conflict, "None of your lines can send to these recipients");
    };
    co_return co_await parts_.database.read(choose);
}

Async<VCard> LineService::vcard(PartnerId partner, std::string line) {
    auto look = [this, partner, line](meta::Session& session) -> Result<VCard> {
        CHECK(require_line(session, partner, line));
        VCard out;
        TRY(const auto row, meta::find_contact_card(session, partner, line));
        if (row) {
            TRY(ContactCard card, shown(session, *row));
            out.first_name = std::move(card.first_name);
            out.last_name = std::move(card.last_name);
            out.photo_url = std::move(card.image_url);
        }
        out.number = line;
        TRY(out.further_numbers, meta::lines_of(session, partner));
        std::erase(out.further_numbers, line);
        return out;
    };
    co_return co_await parts_.database.read(std::move(look));
}

}  // namespace satchel
