// Fonts for what a PDF names and does not contain.
//
// A job can open no path, so the few fonts that stand for all others are opened before the first
// one begins, and fontconfig is told of no others. open() and fopen() as libraries call them are
// defined here: in a job they give what is open already, for these paths alone. No wall has a gap
// for it.
#pragma once

#include "media_child/zygote.hpp"

namespace satchel::media {

// Once, in the zygote, before its first fork and while it has one thread. Nothing is kept, and
// such text stays blank, on a system without fonts.
KeptDescriptors prepare_fonts();

}  // namespace satchel::media
