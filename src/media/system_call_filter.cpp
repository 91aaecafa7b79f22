#include "media/system_call_filter.hpp"

#include "media/memory_file.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace satchel::media {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t first_foreign_call = 0x40000000;  // x32
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t first_foreign_call = 0xffffffff;
#else
#error "say how this architecture is called in <linux/audit.h>"
#endif

constexpr auto refused_calls = std::to_array<int>({
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
#endif
    SYS_setsid,
    SYS_setpgid,
    SYS_socket,
    SYS_socketpair,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_open_by_handle_at,
    SYS_memfd_create,
    SYS_shmget,
    SYS_msgget,
    SYS_mq_open,
    SYS_setrlimit,
    SYS_acct,
    SYS_swapon,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_personality,
});

sock_filter statement(int code, std::uint32_t value) {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}

sock_filter jump(int test, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
    return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), if_true, if_false, value};
}

sock_filter load(std::size_t offset) {
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

sock_filter answer(std::uint32_t action) {
    return statement(BPF_RET | BPF_K, action);
}

constexpr std::uint32_t refuse(std::uint32_t error) {
    return SECCOMP_RET_ERRNO | error;
}

std::vector<sock_filter> program() {
    std::vector<sock_filter> steps{
        load(offsetof(seccomp_data, arch)),
        jump(BPF_JEQ, architecture, 1, 0),
        answer(SECCOMP_RET_KILL_PROCESS),
        load(offsetof(seccomp_data, nr)),
        jump(BPF_JGE, first_foreign_call, 0, 1),
        answer(SECCOMP_RET_KILL_PROCESS),
        // Its flags cannot be read here; the C library takes clone instead.
        jump(BPF_JEQ, SYS_clone3, 0, 1),
        answer(refuse(ENOSYS)),
    };
    for (const int call : refused_calls) {
        steps.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1));
        steps.push_back(answer(refuse(EPERM)));
    }
    steps.push_back(jump(BPF_JEQ, SYS_clone, 0, 3));
    // The flags are the first argument; their low half, on little-endian machines.
    steps.push_back(load(offsetof(seccomp_data, args)));
    steps.push_back(jump(BPF_JSET, CLONE_THREAD, 1, 0));
    steps.push_back(answer(refuse(EPERM)));
    steps.push_back(answer(SECCOMP_RET_ALLOW));
    return steps;
}

}  // namespace

Result<Descriptor> make_system_call_filter() {
    const std::vector<sock_filter> steps = program();
    return sealed_memory_file("jail filter", std::as_bytes(std::span(steps)));
}

}  // namespace satchel::media
