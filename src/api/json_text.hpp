// A flat JSON object as text, for answers that every client asks for all the time: no tree is
// built. Boost.JSON escapes what is not ours.
#pragma once

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::api {

class JsonText {
public:
    // `name` is ours and needs no escaping, here and below.
    JsonText& text(std::string_view name, std::string_view any_utf8) {
        return raw(name, boost::json::serialize(boost::json::string(any_utf8)));
    }
    // A value of ours that needs no escaping: ids, times, fixed words, URLs we made.
    JsonText& plain(std::string_view name, std::string_view value) {
        add_name(name);
        text_ += '"';
        text_ += value;
        text_ += '"';
        return *this;
    }
    JsonText& number(std::string_view name, std::uint64_t value) {
        return raw(name, std::to_string(value));
    }
    // `json` is JSON already.
    JsonText& raw(std::string_view name, std::string_view json) {
        add_name(name);
        text_ += json;
        return *this;
    }
    // Ends the object; call once, last.
    std::string finish() {
        text_ += '}';
        return std::move(text_);
    }

private:
    void add_name(std::string_view name) {
        text_ += text_.empty() ? "{\"" : ",\"";
        text_ += name;
        text_ += "\":";
    }

    std::string text_;
};

}  // namespace satchel::api
