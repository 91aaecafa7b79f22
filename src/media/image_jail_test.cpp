// The jail from inside: tests/jail/hostile_media.cpp does what a decoder that was taken over might.
#include "media/image_jail.hpp"

#include "tests/support/jailed.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view hostile = "satchel-media-hostile";
constexpr std::string_view any_type = "image/tiff";

ImageJailOptions short_limits() {
    return {.job_cpu = 1s, .job_wall = 20s, .output_bytes_max = 4 * limits::MiB};
}

// Processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream stat(entry.path() / "stat");
        std::string text;
        if (!std::getline(stat, text)) continue;
        std::istringstream rest(text.substr(text.rfind(')') + 1));
        char state = 0;
        pid_t its_parent = 0;
        rest >> state >> its_parent;
        if (its_parent == parent) found.push_back(std::stoi(text));
    }
    return found;
}

template <class Condition>
bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        ::sched_yield();
    }
    return true;
}

class ImageJailTest : public testing::Test {
protected:
    Result<Product> attempt(std::string_view mode) {
        return jailed_.convert(Form::jpeg, any_type, mode);
    }
    pid_t zygote() {
        EXPECT_TRUE(jailed_.start());
        const auto all = children_of(::getpid());
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? 0 : all.front();
    }
    void expect_it_works() { EXPECT_TRUE(attempt("behave")) << "the jail does not work on"; }

    test::Jailed jailed_{hostile, short_limits()};
};

TEST_F(ImageJailTest, a_child_that_behaves_gives_a_product) {
    const Result<Product> product = attempt("behave");
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "image/jpeg");
    EXPECT_EQ(product->width, 1U);
    EXPECT_EQ(product->height, 1U);
    EXPECT_EQ(test::content_of(*product).substr(0, 3), "\xff\xd8\xff");
}

TEST_F(ImageJailTest, nothing_leads_out_of_the_jail) {
    for (const std::string_view mode : {"tcp socket",
                                        "udp socket",
                                        "unix socket",
                                        "netlink socket",
                                        "read a file",
                                        "read its memory map",
                                        "open a folder",
                                        "write a file",
                                        "make a folder",
                                        "remove a file",
                                        "fork",
                                        "vfork by clone3",
                                        "exec",
                                        "make code",
                                        "trace the zygote",
                                        "kill the zygote",
                                        "read memory of the zygote",
                                        "take a namespace",
                                        "change the root",
                                        "become root",
                                        "use io_uring",
                                        "load bpf",
                                        "more memory files",
                                        "allocate 1 GiB",
                                        "share 1 GiB",
                                        "fill memory",
                                        "write for ever",
                                        "grow the output",
                                        "change the input",
                                        "raise its limits",
                                        "open many",
                                        "find descriptors of others"}) {
        SCOPED_TRACE(mode);
        const Result<Product> product = attempt(mode);
        ASSERT_FALSE(product) << "it got out";
        EXPECT_EQ(product.error().code, Errc::corrupt);
        EXPECT_NE(product.error().detail.find("denied"), std::string::npos)
            << product.error().detail;
    }
    expect_it_works();
}

TEST_F(ImageJailTest, a_child_that_spins_runs_out_of_cpu_time_though_it_ignores_the_signal) {
    const Result<Product> product = attempt("spin");
    ASSERT_FALSE(product);
    EXPECT_EQ(product.error().code, Errc::timed_out);
    expect_it_works();
}

TEST_F(ImageJailTest, a_child_that_breaks_is_an_ordinary_error) {
    for (const std::string_view mode : {"crash", "exit", "exit badly"}) {
        SCOPED_TRACE(mode);
        const Result<Product> product = attempt(mode);
        ASSERT_FALSE(product);
        EXPECT_EQ(product.error().code, Errc::corrupt);
        expect_it_works();
    }
}

TEST_F(ImageJailTest, a_child_that_lies_is_not_believed) {
    for (const std::string_view mode :
         {"say too much", "say too little", "say huge", "give nothing", "give a page",
          "give half a JPEG", "give a JPEG without frames", "say an unknown verdict",
          "ask for all memory", "ask for no memory", "answer for another", "answer twice"}) {
        SCOPED_TRACE(mode);
        const Result<Product> product = attempt(mode);
        ASSERT_FALSE(product);
        EXPECT_EQ(product.error().code, Errc::corrupt);
    }
    expect_it_works();
}

TEST_F(ImageJailTest, all_memory_is_given_back) {
    for (const std::string_view mode : {"behave", "crash", "ask for all memory"}) {
        ignore(attempt(mode), "only what it leaves behind matters");
    }
    EXPECT_EQ(jailed_.budget().free_bytes(), limits::media_memory_bytes_max);
}

TEST_F(ImageJailTest, jobs_beside_a_hanging_one_are_done) {
    auto hanging = jailed_.begin(Form::jpeg, any_type, "never answer");
    for (int i = 0; i < 3; ++i) expect_it_works();
    ::kill(zygote(), SIGKILL);
    EXPECT_EQ(hanging.get().error().code, Errc::unavailable);
}

TEST_F(ImageJailTest, a_job_runs_at_the_lowest_priority_and_its_zygote_does_not) {
    const pid_t parent = zygote();
    auto hanging = jailed_.begin(Form::jpeg, any_type, "never answer");
    pid_t child = 0;
    ASSERT_TRUE(eventually([&] {
        const auto children = children_of(parent);
        if (!children.empty()) child = children.front();
        return child != 0 && ::getpriority(PRIO_PROCESS, static_cast<id_t>(child)) == 19;
    }));
    EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(parent)),
              ::getpriority(PRIO_PROCESS, 0));
    ::kill(parent, SIGKILL);
    EXPECT_FALSE(hanging.get());
}

TEST_F(ImageJailTest, a_lost_zygote_is_replaced) {
    expect_it_works();
    const pid_t first = zygote();
    ::kill(first, SIGKILL);
    ASSERT_TRUE(eventually([&] { return children_of(::getpid()).empty(); }));
    expect_it_works();
    EXPECT_NE(zygote(), first);
}

TEST_F(ImageJailTest, a_cancelled_job_ends_its_child) {
    const pid_t parent = zygote();
    auto group = std::make_unique<TaskGroup>(jailed_.loop());
    std::promise<void> begun;
    asio::post(jailed_.loop(), [&] {
        auto input = sealed_memory_file("input", as_bytes("never answer"));
        Order order{.source_type = std::string(any_type), .input = std::move(input).value()};
        const auto run = [](ImageJail& jail, Order o) -> Task<> {
            ignore(co_await jail.convert(std::move(o)), "it is cancelled");
        };
        group->spawn("convert", run(jailed_.jail(), std::move(order)));
        begun.set_value();
    });
    begun.get_future().get();
    ASSERT_TRUE(eventually([&] { return children_of(parent).size() == 1; }));
    const auto stop = [](TaskGroup& tasks) -> Async<> {
        co_await tasks.stop(0s);
        co_return Result<>{};
    };
    EXPECT_TRUE(jailed_.begin(stop(*group)).get());
    EXPECT_TRUE(eventually([&] { return children_of(parent).empty(); }));
    EXPECT_EQ(jailed_.budget().free_bytes(), limits::media_memory_bytes_max);
}

TEST_F(ImageJailTest, an_order_that_is_not_one_is_refused) {
    EXPECT_EQ(jailed_.convert(Form::m4a, any_type, "behave").error().code, Errc::invalid_argument);
    EXPECT_EQ(jailed_.convert(Form::jpeg, "image/svg+xml", "behave").error().code,
              Errc::invalid_argument);
    EXPECT_EQ(jailed_.convert(Form::jpeg, "application/pdf", "behave").error().code,
              Errc::invalid_argument);
    EXPECT_EQ(jailed_.convert(Form::preview, any_type, "behave", 0).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(jailed_.convert(Form::preview, any_type, "behave", 100'000).error().code,
              Errc::invalid_argument);
}

TEST_F(ImageJailTest, an_input_that_may_still_change_is_refused) {
    Result<Descriptor> input = make_memory_file("open");
    Order order{.source_type = std::string(any_type), .input = std::move(input).value()};
    EXPECT_EQ(jailed_.begin(jailed_.jail().convert(std::move(order))).get().error().code,
              Errc::invalid_argument);
}

TEST(ImageJailTimeTest, a_child_that_never_answers_runs_out_of_time) {
    test::Jailed jailed(hostile, {.job_wall = 300ms});
    EXPECT_EQ(jailed.convert(Form::jpeg, any_type, "never answer").error().code, Errc::timed_out);
    EXPECT_TRUE(jailed.convert(Form::jpeg, any_type, "behave"));
}

TEST(ImageJailStartTest, the_report_names_every_wall) {
    test::Jailed jailed("satchel-media");
    const Result<JailReport> report = jailed.start();
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->is_usable());
    EXPECT_TRUE(report->is_complete()) << "this kernel lacks: " << report->missing();
    EXPECT_EQ(report->missing(), "");
    EXPECT_EQ(JailReport{}.missing(),
              "network namespace, Landlock, seccomp, resource limits, dropping of privileges");
}

TEST(ImageJailStartTest, a_program_that_is_not_there_or_no_zygote_is_unavailable) {
    for (const char* program : {"/nowhere/satchel-media", "/bin/true"}) {
        SCOPED_TRACE(program);
        test::Jailed jailed(program);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(jailed.convert(Form::jpeg, any_type, "").error().code, Errc::unavailable);
        }
    }
}

}  // namespace
}  // namespace satchel::media
