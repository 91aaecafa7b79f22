#include "base/log.hpp"
#include "media/image_jail.hpp"
#include "media/memory_file.hpp"

#include <boost/asio/co_spawn.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

namespace {

using namespace satchel;
using namespace satchel::media;

constexpr std::uint64_t memory_bytes = limits::media_memory_bytes_max;
constexpr std::uint64_t output_bytes_max = 1 << 20;
constexpr auto forms = std::to_array<Form>({Form::jpeg, Form::preview, Form::stripped});
constexpr auto types =
    std::to_array<std::string_view>({"image/jpeg", "image/png", "image/tiff", "image/heic"});

void hold_to_the_rules(const Product& product, Form form, std::string_view type) {
    ASSERT(is_sealed(product.bytes));
    ASSERT(product.size_bytes > 0 && product.size_bytes <= output_bytes_max);
    ASSERT(size_of(product.bytes).value() == product.size_bytes);
    ASSERT(product.content_type == (form == Form::stripped ? type : "image/jpeg"));
    ASSERT((product.content_type == "image/jpeg") == (product.width > 0 && product.height > 0));
}

Task<> one_job(ImageJail& jail, Order order, Form form, std::string_view type) {
    const Result<Product> product = co_await jail.convert(std::move(order));
    if (product) hold_to_the_rules(*product, form, type);
    if (!product) ASSERT(product.error().code != Errc::internal);
    co_await jail.stop();
}

}  // namespace

// The input is an order and what the child does with it: lying_media.cpp. Whatever that is, the
// answer is an error or a product that is as it says, and all memory comes back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    log::set_level(log::Level::off);
    static Loop loop(1);
    loop.restart();
    MemoryBudget budget(memory_bytes);
    {
        ImageJail jail(loop, budget,
                       {.program = SATCHEL_LYING_MEDIA, .output_bytes_max = output_bytes_max});
        Order order{.form = forms[data[0] % forms.size()],
                    .source_type = std::string(types[data[1] % types.size()]),
                    .width = 100};
        const std::string type = order.source_type;
        const Form form = order.form;
        order.input =
            *sealed_memory_file("input", ByteView(reinterpret_cast<const std::byte*>(data), size));
        asio::co_spawn(loop, one_job(jail, std::move(order), form, type),
                       [](const std::exception_ptr& error) {
                           if (error) std::rethrow_exception(error);
                       });
        loop.run();
    }
    ASSERT(budget.free_bytes() == memory_bytes);
    return 0;
}
