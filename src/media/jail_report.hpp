// What stands between a decoder and the rest of the machine, on this kernel.
#pragma once

#include <cstdint>
#include <string>

namespace satchel::media {

struct JailReport {
    bool network_namespace = false;
    std::uint32_t landlock_abi = 0;  // 0: the kernel has no Landlock, or it is off.
    bool seccomp = false;
    bool resource_limits = false;
    bool no_privileges = false;

    // Jobs run. Without system call filter, limits or the dropping of privileges none does.
    bool is_usable() const { return seccomp && resource_limits && no_privileges; }
    bool is_complete() const { return is_usable() && network_namespace && landlock_abi > 0; }
    // What is lacking, for people: "network namespace, Landlock"; empty if nothing is.
    std::string missing() const;
};

}  // namespace satchel::media
