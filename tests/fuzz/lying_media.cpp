// In satchel-media's place: says hello, takes one order and does what the order's input says,
// byte by byte. What it says is mostly almost right, so that lies go deep.
//
// The input is a list of acts: a byte that chooses, a byte with a length, so many bytes.
#include "media/jail_protocol.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using namespace satchel::media::jail;
using namespace std::string_view_literals;

constexpr int input = 4;
constexpr int output = 5;
constexpr int answers = 6;
constexpr int acts = 8;
// The parent looks at the first two bytes of an input: its order.
constexpr std::size_t script_begins = 2;
constexpr std::string_view jpeg = "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xd9"sv;

bool receive(JobMessage& order) {
    iovec piece{.iov_base = &order, .iov_len = sizeof order};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * job_descriptors)]{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    if (::recvmsg(channel_descriptor, &header, 0) != sizeof order) return false;
    // They get the lowest numbers that are free.
    return CMSG_FIRSTHDR(&header) != nullptr;
}

std::string script() {
    struct stat status{};
    ::fstat(input, &status);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    static_cast<void>(::pread(input, text.data(), text.size(), 0));
    text.erase(0, std::min(text.size(), script_begins));
    return text;
}

// The truth but for bytes that `lie` puts over it: its first says where, relative to the length.
template <class Message>
std::string_view bent(Message& message, std::string_view lie) {
    if (!lie.empty()) {
        const std::size_t at = static_cast<unsigned char>(lie[0]) % sizeof message;
        lie.remove_prefix(1);
        std::memcpy(reinterpret_cast<char*>(&message) + at, lie.data(),
                    std::min(lie.size(), sizeof message - at));
    }
    return {reinterpret_cast<const char*>(&message), sizeof message};
}

void write_to(int file, std::string_view bytes) {
    static_cast<void>(::write(file, bytes.data(), bytes.size()));
}

void say(std::string_view bytes) {
    static_cast<void>(::send(channel_descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

std::uint64_t output_size() {
    struct stat status{};
    return ::fstat(output, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void act(int which, std::string_view bytes, const JobMessage& order) {
    Answer answer;
    answer.verdict = Verdict::done;
    answer.job = order.job;
    answer.size_bytes = output_size();
    Ended ended;
    ended.job = order.job;
    Hello hello{.walls = all_walls, .landlock_abi = 1};
    std::string picture(jpeg);
    switch (which) {
        case 0:
            return write_to(output, bytes);
        case 1:
            return write_to(answers, bent(answer, bytes));
        case 2:
            return write_to(answers, bytes);
        case 3:
            return say(bent(ended, bytes));
        case 4:
            return say(bytes);
        case 5:
            return say(bent(hello, bytes));
        case 6:
            if (!bytes.empty()) {
                const std::size_t at = static_cast<unsigned char>(bytes[0]) % picture.size();
                const std::string_view lie = bytes.substr(1, picture.size() - at);
                picture.replace(at, lie.size(), lie);
            }
            return write_to(output, picture);
        default:
            static_cast<void>(::ftruncate(output, static_cast<off_t>(bytes.size()) * 20'000));
    }
}

}  // namespace

int main() {
    const Hello hello{.walls = all_walls, .landlock_abi = 1};
    say({reinterpret_cast<const char*>(&hello), sizeof hello});
    JobMessage order;
    if (!receive(order)) return 1;
    const std::string all = script();
    for (std::string_view rest = all; rest.size() >= 2;) {
        const int which = static_cast<unsigned char>(rest[0]) % acts;
        const std::size_t length = static_cast<unsigned char>(rest[1]);
        rest.remove_prefix(2);
        act(which, rest.substr(0, length), order);
        rest.remove_prefix(std::min(length, rest.size()));
    }
    return 0;  // The server hears that the channel is closed.
}
