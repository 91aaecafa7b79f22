#include "media/detect.hpp"

#include <gtest/gtest.h>

#include <string>

namespace satchel::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

bool is_forbidden(std::string_view head) {
    return is_forbidden_head(as_bytes(head));
}

TEST(ForbiddenHeadTest, executables_of_all_systems_are_forbidden) {
    for (const std::string_view head :
         {"MZ\x90\0\x03"sv,
          "\x7f"
          "ELF\x02\x01\x01\0"sv,
          "\xfe\xed\xfa\xce\0\0\0\x07"sv, "\xce\xfa\xed\xfe\x07\0\0\0"sv,
          "\xfe\xed\xfa\xcf\x01\0\0\x0c"sv, "\xcf\xfa\xed\xfe\x0c\0\0\x01"sv,
          "\xca\xfe\xba\xbe\0\0\0\x02"sv, "\xbe\xba\xfe\xca\x02\0\0\0"sv,
          "\xca\xfe\xba\xbf\0\0\0\x02"sv, "\xbf\xba\xfe\xca\x02\0\0\0"sv}) {
        EXPECT_TRUE(is_forbidden(head)) << to_hex(as_bytes(head));
    }
}

TEST(ForbiddenHeadTest, java_classes_are_forbidden) {
    EXPECT_TRUE(is_forbidden("\xca\xfe\xba\xbe\0\0\0\x41"sv));
}

TEST(ForbiddenHeadTest, scripts_are_forbidden) {
    for (const std::string_view head :
         {"#!/bin/sh\n", "#! /usr/bin/env python3\n", "#!", "#!AMR", "#!AMRX\n", "#!amr\n"}) {
        EXPECT_TRUE(is_forbidden(head)) << head;
    }
}

TEST(ForbiddenHeadTest, amr_audio_is_no_script) {
    for (const std::string_view head :
         {"#!AMR\n\x3c", "#!AMR-WB\n\x04", "#!AMR_MC1.0\n", "#!AMR-WB_MC1.0\n"}) {
        EXPECT_FALSE(is_forbidden(head)) << head;
    }
}

TEST(ForbiddenHeadTest, flac_and_ogg_are_forbidden) {
    EXPECT_TRUE(is_forbidden("fLaC\0\0\0\x22"sv));
    EXPECT_TRUE(is_forbidden("OggS\0\x02"sv));
}

TEST(ForbiddenHeadTest, a_cut_mark_is_no_mark) {
    for (const std::string_view head : {""sv, "M"sv, "MZ"sv,
                                        "\x7f"
                                        "EL"sv,
                                        "\xca\xfe\xba"sv, "#"sv, "fLa"sv, "Ogg"sv}) {
        EXPECT_FALSE(is_forbidden(head)) << head;
    }
}

TEST(ForbiddenHeadTest, a_mark_counts_at_the_beginning_only) {
    EXPECT_FALSE(is_forbidden(" MZ"));
    EXPECT_FALSE(is_forbidden("\n#!/bin/sh\n"));
    EXPECT_FALSE(is_forbidden("RIFF\x24\0\0\0OggS"sv));
}

TEST(ForbiddenHeadTest, ordinary_files_are_let_through) {
    for (const std::string_view head :
         {"\xff\xd8\xff\xe0\0\x10JFIF"sv, "\x89PNG\r\n\x1a\n"sv, "GIF89a"sv,
          "\0\0\0\x18"
          "ftypheic"sv,
          "%PDF-1.7"sv, "PK\x03\x04"sv, "ID3\x04"sv, "caff\0\x01"sv, "BEGIN:VCARD\r\n"sv,
          "# Heading\n"sv, "\x1f\x8b\x08"sv, "{}"sv}) {
        EXPECT_FALSE(is_forbidden(head)) << head;
    }
}

}  // namespace
}  // namespace satchel::media
