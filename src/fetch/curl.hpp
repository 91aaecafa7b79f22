// libcurl's functions and the owners of its handles. Private to this folder.
//
// The library is loaded when the first URL is looked at: it brings two dozen others along, which
// would make up a third of the memory of an idle server that may never fetch anything.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace satchel::fetch {

struct Libcurl {
    decltype(&::curl_easy_cleanup) easy_cleanup;
    decltype(&::curl_easy_getinfo) easy_getinfo;
    decltype(&::curl_easy_header) easy_header;
    decltype(&::curl_easy_init) easy_init;
    decltype(&::curl_easy_reset) easy_reset;
    decltype(&::curl_easy_setopt) easy_setopt;
    decltype(&::curl_easy_strerror) easy_strerror;
    decltype(&::curl_free) free;
    decltype(&::curl_global_init) global_init;
    decltype(&::curl_multi_add_handle) multi_add_handle;
    decltype(&::curl_multi_cleanup) multi_cleanup;
    decltype(&::curl_multi_info_read) multi_info_read;
    decltype(&::curl_multi_init) multi_init;
    decltype(&::curl_multi_perform) multi_perform;
    decltype(&::curl_multi_poll) multi_poll;
    decltype(&::curl_multi_remove_handle) multi_remove_handle;
    decltype(&::curl_multi_setopt) multi_setopt;
    decltype(&::curl_multi_wakeup) multi_wakeup;
    decltype(&::curl_slist_append) slist_append;
    decltype(&::curl_slist_free_all) slist_free_all;
    decltype(&::curl_strequal) strequal;
    decltype(&::curl_url) url;
    decltype(&::curl_url_cleanup) url_cleanup;
    decltype(&::curl_url_dup) url_dup;
    decltype(&::curl_url_get) url_get;
    decltype(&::curl_url_set) url_set;
    decltype(&::curl_url_strerror) url_strerror;
};

// Loads and initialises it once. Thread-safe. An installation without it is broken: ASSERT.
const Libcurl& libcurl();

struct FreeEasy {
    void operator()(CURL* easy) const { libcurl().easy_cleanup(easy); }
};
struct FreeMulti {
    void operator()(CURLM* multi) const { libcurl().multi_cleanup(multi); }
};
struct FreeUrl {
    void operator()(CURLU* url) const { libcurl().url_cleanup(url); }
};
struct FreeText {
    void operator()(char* text) const { libcurl().free(text); }
};
struct FreeList {
    void operator()(curl_slist* list) const { libcurl().slist_free_all(list); }
};

using Easy = std::unique_ptr<CURL, FreeEasy>;
using Multi = std::unique_ptr<CURLM, FreeMulti>;
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;
using CurlText = std::unique_ptr<char, FreeText>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

}  // namespace satchel::fetch
