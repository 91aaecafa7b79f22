#include "model/chat.hpp"

namespace satchel {

std::vector<std::string> Chat::recipients() const {
    std::vector<std::string> out;
    for (const ChatHandle& handle : handles) {
        if (!handle.is_me && handle.status == HandleStatus::active) out.push_back(handle.handle);
    }
    return out;
}

std::string_view to_string(Service service) {
    switch (service) {
        case Service::imessage:
            return "iMessage";
        case Service::sms:
            return "SMS";
        case Service::rcs:
            return "RCS";
    }
    return {};
}

std::string_view to_string(HandleStatus status) {
    switch (status) {
        case HandleStatus::active:
            return "active";
        case HandleStatus::left:
            return "left";
        case HandleStatus::removed:
            return "removed";
    }
    return {};
}

std::string_view to_string(ChatHealth health) {
    switch (health) {
        case ChatHealth::healthy:
            return "HEALTHY";
        case ChatHealth::at_risk:
            return "AT_RISK";
        case ChatHealth::critical:
            return "CRITICAL";
        case ChatHealth::opted_out:
            return "OPTED_OUT";
    }
    return {};
}

std::optional<Service> parse_service(std::string_view text) {
    for (const Service service : {Service::imessage, Service::sms, Service::rcs}) {
        if (to_string(service) == text) return service;
    }
    return std::nullopt;
}

}  // namespace satchel
