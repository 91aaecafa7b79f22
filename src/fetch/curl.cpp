#include "fetch/curl.hpp"

#include "base/result.hpp"

#include <dlfcn.h>

namespace satchel::fetch {
namespace {

template <class Function>
void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    ASSERT(function != nullptr);
}

Libcurl load() {
    // By its soname, as a linked program would; never unloaded.
    void* const library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    ASSERT(library != nullptr);
    Libcurl curl{};
    find(library, "curl_easy_cleanup", curl.easy_cleanup);
    find(library, "curl_easy_getinfo", curl.easy_getinfo);
    find(library, "curl_easy_header", curl.easy_header);
    find(library, "curl_easy_init", curl.easy_init);
    find(library, "curl_easy_reset", curl.easy_reset);
    find(library, "curl_easy_setopt", curl.easy_setopt);
    find(library, "curl_easy_strerror", curl.easy_strerror);
    find(library, "curl_free", curl.free);
    find(library, "curl_global_init", curl.global_init);
    find(library, "curl_multi_add_handle", curl.multi_add_handle);
    find(library, "curl_multi_cleanup", curl.multi_cleanup);
    find(library, "curl_multi_info_read", curl.multi_info_read);
    find(library, "curl_multi_init", curl.multi_init);
    find(library, "curl_multi_perform", curl.multi_perform);
    find(library, "curl_multi_poll", curl.multi_poll);
    find(library, "curl_multi_remove_handle", curl.multi_remove_handle);
    find(library, "curl_multi_setopt", curl.multi_setopt);
    find(library, "curl_multi_wakeup", curl.multi_wakeup);
    find(library, "curl_slist_append", curl.slist_append);
    find(library, "curl_slist_free_all", curl.slist_free_all);
    find(library, "curl_strequal", curl.strequal);
    find(library, "curl_url", curl.url);
    find(library, "curl_url_cleanup", curl.url_cleanup);
    find(library, "curl_url_dup", curl.url_dup);
    find(library, "curl_url_get", curl.url_get);
    find(library, "curl_url_set", curl.url_set);
    find(library, "curl_url_strerror", curl.url_strerror);
    ASSERT(curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    return curl;
}

}  // namespace

const Libcurl& libcurl() {
    static const Libcurl loaded = load();
    return loaded;
}

}  // namespace satchel::fetch
