// Every limit has a name and stands here. Units are in the name.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace satchel::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// HTTP server.
inline constexpr std::size_t request_head_bytes_max = 16 * KiB;
inline constexpr std::size_t request_headers_max = 100;
inline constexpr std::size_t json_body_bytes_max = 64 * KiB;
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t connections_max = 10'000;
inline constexpr auto head_wait_max = 10s;        // From the first byte of a head to its end.
inline constexpr auto keep_alive_wait_max = 60s;  // Between two requests.
inline constexpr auto body_stall_max = 30s;       // A body may be slow but must move.
inline constexpr auto write_stall_max = 30s;      // A reader may be slow but must read.
inline constexpr auto tls_handshake_max = 10s;
inline constexpr auto stop_wait_max = 10s;  // Graceful stop.
// An unread body up to this size is read and thrown away to keep the connection; a longer one
// closes it, after up to linger_wait_max in which the client may see the answer.
inline constexpr std::size_t drain_bytes_max = 256 * KiB;
inline constexpr auto linger_wait_max = 30s;
inline constexpr auto deadline_check_interval = 500ms;
inline constexpr auto accept_retry_wait = 100ms;  // When descriptors have run out.

// Transfers. A transfer yields its loop after each batch.
inline constexpr std::size_t frame_bytes = 64 * KiB;
inline constexpr std::size_t frames_per_batch = 4;
inline constexpr std::size_t transfer_buffer_bytes = frames_per_batch * frame_bytes;
inline constexpr std::size_t transfer_buffers_kept_max = 8;  // Per thread, for reuse.
// Uploads and downloads that run at once in the process; more are answered 503. Each has one
// transfer buffer, over TLS two.
inline constexpr std::size_t transfers_max = 1024;
inline constexpr auto readiness_kept = 1s;  // How long an answer of /readyz is given again.
inline constexpr std::size_t ranges_max = 16;

// Attachments (contract sections 2.1 and 2.2).
inline constexpr std::uint64_t attachment_bytes_max = 104'857'600;
inline constexpr std::size_t filename_characters_max = 255;
inline constexpr std::size_t content_type_bytes_max = 255;
inline constexpr auto upload_window = 15min;
inline constexpr auto failed_row_life = 24h;
// Of ephemeral attachments and messages, from their creation (contract sections 7.1 and 7.2).
inline constexpr auto ephemeral_life = 24h;

// Type detection (src/media). What lies beyond a limit is not seen.
inline constexpr std::size_t detect_head_bytes = 8 * KiB;   // Read once, at the beginning.
inline constexpr std::size_t detect_page_bytes = 64 * KiB;  // Read at once elsewhere, at most.
inline constexpr std::size_t detect_read_ahead_bytes = 4 * KiB;
inline constexpr std::size_t detect_reads_max = 256;  // Per content.
inline constexpr std::size_t detect_bytes_max = 2 * MiB;
inline constexpr std::size_t detect_boxes_max = 1024;  // Of an MP4 or QuickTime file.
inline constexpr std::size_t detect_zip_entries_max = 32'768;
inline constexpr std::size_t detect_directory_sectors_max = 64;  // Of a compound file.
inline constexpr std::size_t detect_difat_sectors_max = 16;      // The largest attachment has 12.
inline constexpr std::size_t detect_json_depth_max = 128;

// Messages (contract sections 1.7, 1.8, 3.2 and 3.4).
inline constexpr std::size_t message_body_bytes_max = 4 * MiB;
inline constexpr std::size_t recipients_max = 31;
inline constexpr std::size_t chat_handles_max = 128;  // Those who left among them.
inline constexpr std::size_t message_parts_max = 100;
inline constexpr std::size_t url_parts_max = 40;
inline constexpr std::size_t text_characters_max = 10'000;
inline constexpr std::size_t url_characters_max = 2048;
inline constexpr std::size_t idempotency_key_characters_max = 255;
inline constexpr std::uint64_t fetched_media_bytes_max = 10'485'760;
inline constexpr auto media_fetch_max = 10s;
inline constexpr std::uint64_t voice_memo_by_url_bytes_max = 10'485'760;
inline constexpr std::uint32_t messages_per_pair_max = 30;  // In pair_window.
inline constexpr auto pair_window = 60s;
inline constexpr std::size_t rated_pairs_max = 1'000'000;  // Beyond it the oldest are forgotten.
inline constexpr std::size_t chats_page_max = 100;
inline constexpr std::size_t chats_page_default = 20;
inline constexpr std::size_t messages_page_max = 100;
inline constexpr std::size_t messages_page_default = 50;
inline constexpr std::size_t app_card_text_characters_max = 1000;
inline constexpr std::size_t app_card_data_url_characters_max = 16'384;

// Changing messages and chats (contract sections 3.8 and 3.9).
inline constexpr std::uint32_t message_edits_max = 5;
inline constexpr auto message_edit_window = 15min;
inline constexpr std::size_t reaction_emoji_bytes_max = 64;
inline constexpr std::size_t chat_name_characters_max = 255;
inline constexpr std::size_t group_members_min = 3;  // With the line itself.
inline constexpr std::size_t leavable_group_members_min = 4;
inline constexpr std::size_t read_batch_max = 500;  // Messages marked in one write.
inline constexpr auto typing_window = 5min;         // Since the chat's last change.

// Lines and recipients (contract sections 1.8 and 6).
inline constexpr std::size_t contact_name_characters_max = 255;
inline constexpr std::size_t block_reason_characters_max = 1000;
inline constexpr std::size_t blocked_handles_max = 10'000;  // Per partner.
inline constexpr auto vcard_life = 1h;
inline constexpr auto capability_check_interval = 10s;

// Delivery.
inline constexpr std::size_t deliveries_parallel_max = 256;
inline constexpr std::uint32_t delivery_attempts_max = 8;
inline constexpr auto delivery_retry_first = 2s;  // Doubles with each attempt.
inline constexpr auto delivery_lease = 5min;

// The carrier's bridge (docs/api/gateway.md): messages to it,
inline constexpr auto gateway_attempt_max = 15s;
inline constexpr std::uint32_t gateway_attempts_max = 12;
inline constexpr auto gateway_retry_first = 3s;  // Doubles with each attempt: 102 minutes in all.
inline constexpr std::size_t gateway_answer_bytes_max = 16 * KiB;
inline constexpr std::size_t failure_reason_bytes_max = 500;
inline constexpr auto signed_download_life = 15min;
// what it reports,
inline constexpr auto gateway_signature_skew_max = 5min;
inline constexpr std::size_t gateway_body_bytes_max = 256 * KiB;
inline constexpr std::size_t gateway_id_characters_max = 255;
inline constexpr auto gateway_id_life = 7 * 24h;  // A message that comes again is known so long.
inline constexpr std::size_t gateway_tidy_batch_max = 16;
// and the media of what comes in. An attempt at a message has each file of it in memory in turn.
inline constexpr std::uint64_t carried_media_bytes_max = attachment_bytes_max;
inline constexpr auto carried_media_fetch_max = 2min;
inline constexpr auto receive_attempt_max = 10min;
inline constexpr auto receive_lease = 15min;
inline constexpr std::uint32_t receive_attempts_max = 8;
inline constexpr auto receive_retry_first = 5s;  // Doubles with each attempt: 10 minutes in all.
inline constexpr std::size_t receives_parallel_max = 4;

// After so long a send converts no further parts: what phones open anyway goes as it is.
inline constexpr auto send_conversions_max = 20s;
// Contents in clear, in memory, while they are converted: all together.
inline constexpr std::uint64_t conversion_input_bytes_max = 256 * MiB;

// Virus scanning.
inline constexpr std::size_t scan_chunk_bytes = 64 * KiB;
inline constexpr std::size_t scan_answer_bytes_max = 4 * KiB;
inline constexpr auto scan_stall_max = 30s;  // For the scanner to take a chunk, or to answer.

// Metadata.
inline constexpr std::size_t commit_batch_max = 256;
// After so many batches that follow each other at once the log is cut, if any of them erased.
inline constexpr int batches_per_cut_max = 2;
inline constexpr std::size_t commit_queue_max = 8192;  // Beyond it a write is refused: 503.
inline constexpr std::size_t sweep_batch_max = 200;
inline constexpr auto sweep_interval = 10s;
// Blobs unlinked before their folders are synced, once for all of them; and how many of them one
// write forgets.
inline constexpr std::size_t blob_removals_batch_max = 8192;
inline constexpr std::size_t blob_removals_forgotten_max = 1024;
inline constexpr std::size_t expiry_batch_max = 200;  // Messages, or webhook events.
inline constexpr std::size_t audit_page_max = 1000;   // Entries read at once.

// The master key: a key file, or what a command prints.
inline constexpr std::size_t master_key_text_bytes_max = 4 * KiB;
inline constexpr std::size_t master_key_versions_max = 32;
inline constexpr std::size_t key_command_words_max = 64;
inline constexpr std::size_t key_command_error_bytes_max = 4 * KiB;  // More is thrown away.
inline constexpr auto key_command_wait_max = 30s;
inline constexpr std::size_t rewrap_batch_max = 500;  // Attachments, in one write.
inline constexpr auto rewrap_look_interval = 10s;     // For late rows under an older version.
inline constexpr auto rewrap_retry_wait = 1min;       // After a pass that failed,
inline constexpr auto rewrap_damage_wait = 1h;        // or found keys that cannot be unwrapped.
inline constexpr std::size_t key_count_page_max = 500;

// Backups and integrity. A copy of the database goes on between two commits, so many pages (of
// 4 KiB) at once; files of blobs are copied through one buffer, and made durable so many at once.
inline constexpr int backup_pages_per_step = 64;
inline constexpr std::size_t backup_buffer_bytes = 1 * MiB;
inline constexpr std::size_t backup_files_per_sync = 64;
inline constexpr std::size_t backup_page_max = 500;   // Rows read at once.
inline constexpr std::size_t backup_rounds_max = 16;  // Until copy and blobs agree.
inline constexpr std::size_t ledger_batch_max = 200;  // Deletions applied in one write.
inline constexpr auto backup_poll_interval = 200ms;   // Of the command that waits for a server.
inline constexpr auto scrub_save_interval = 10s;      // Where the scrubber is, for a restart.
inline constexpr std::size_t scrub_page_max = 100;    // Rows read at once.
inline constexpr auto scrub_retry_wait = 1min;        // After the store could not be read.

// Attachments that are due: a pass ends after so many, or after a look when another write waits.
inline constexpr std::size_t due_batch_max = 400;
inline constexpr std::size_t due_rows_per_look = 25;
// Blobs that one job unlinks, and how many of them before others have their turn.
inline constexpr std::size_t blob_removals_per_job = 64;
inline constexpr std::size_t blob_removals_per_turn = 2;
// How threads in the background share a core with the loops (base/scheduling.hpp; weighed in
// bench/notes.md): for how long they run at a time, the kernel's least, and how many such turns
// they leave to others after each piece of work.
inline constexpr auto background_turn = 100us;
inline constexpr int turns_given_way = 5;
inline constexpr auto background_rest = 20us;  // After them, if there are several cores.

// What goes by itself or by the operator's order (docs/operations/retention.md). A pass of each
// chore is one short transaction of so many rows; between two of them others have their turn.
inline constexpr std::size_t retention_batch_max = 100;
inline constexpr std::size_t audit_cut_batch_max = 500;
inline constexpr auto retention_pause = 5ms;  // Between two passes of a chore.
inline constexpr auto chore_turn_max = 5s;    // Then the next chore, if this one is not done.
inline constexpr std::size_t erase_batch_max = 50;
inline constexpr std::uint32_t retention_days_max = 36'500;

// The edge that is told of deletions (docs/operations/edge.md).
inline constexpr std::uint32_t edge_cache_seconds_max = 86'400;
inline constexpr auto edge_attempt_max = 10s;
inline constexpr std::uint32_t edge_attempts_max = 14;
inline constexpr auto edge_retry_first = 2s;  // Doubles with each attempt: 4.5 hours in all.
inline constexpr auto edge_lease = 1min;
inline constexpr std::size_t edge_purges_parallel_max = 8;
inline constexpr std::size_t edge_answer_bytes_max = 16 * KiB;

// Outbound requests (src/fetch). A caller says how long one may take and how much it may bring.
inline constexpr std::size_t outbound_url_bytes_max = 8 * KiB;
inline constexpr std::size_t outbound_head_bytes_max = 64 * KiB;
inline constexpr std::size_t outbound_ignored_bytes_max = 64 * KiB;  // Of a body nobody wants.
inline constexpr int outbound_redirects_max = 3;
inline constexpr auto outbound_connect_max = 5s;
inline constexpr auto outbound_idle_max = 5s;
inline constexpr std::size_t outbound_connections_kept_max = 256;
inline constexpr std::size_t gets_parallel_max = 64;
inline constexpr std::size_t gets_waiting_per_partner_max = 256;
inline constexpr std::size_t posts_parallel_max = 1024;
inline constexpr std::size_t posts_parallel_per_partner_max = 256;
inline constexpr std::size_t posts_waiting_per_partner_max = 4096;

// Webhooks (contract sections 5.1 and 5.3).
inline constexpr std::size_t webhook_subscriptions_max = 100;  // Per partner.
inline constexpr std::size_t webhook_url_bytes_max = 2048;
inline constexpr std::uint32_t webhook_attempts_max = 10;
inline constexpr auto webhook_first_wait = 3s;  // Doubles after each attempt: 25.5 minutes in all.
inline constexpr auto webhook_attempt_max = 10s;
inline constexpr auto webhook_failed_life = 7 * 24h;  // What was given up can be replayed so long.
inline constexpr std::size_t webhook_page_max = 128;  // Waiting rows in memory, per subscription.
// Attempts at once: to one subscription, at first and at most; to all; and, so that each
// subscription may always have one, in the worst case.
inline constexpr std::size_t webhook_parallel_start = 4;
inline constexpr std::size_t webhook_parallel_max = 32;
inline constexpr std::size_t webhook_parallel_total_max = 512;
inline constexpr std::size_t webhook_parallel_hard_max = 1024;
inline constexpr auto webhook_look_interval = 10ms;  // Commits are noticed so late.
inline constexpr auto webhook_catch_up_max = 15s;    // After time was moved.
inline constexpr auto webhook_stop_wait_max = 1s;    // For attempts under way.
inline constexpr std::size_t webhook_tidy_batch_max = 500;
inline constexpr std::size_t webhook_outcomes_max = 1024;  // Known, but not yet written.

// Media in the jail (src/media, src/media_child). A job is one conversion.
inline constexpr std::uint64_t media_job_memory_bytes_max = 512 * MiB;
// What an image job is given at first; by its header it may ask for more.
inline constexpr std::uint64_t media_job_memory_bytes_first = 256 * MiB;
inline constexpr std::uint64_t media_memory_bytes_max = 1024 * MiB;  // All jobs together.
inline constexpr std::size_t media_jobs_waiting_max = 1024;          // For memory.
// For memory. A send's conversion waits twice at most: for its content's place, and for its job's.
inline constexpr auto media_wait_max = 10s;
static_assert(2 * media_wait_max <= send_conversions_max);
inline constexpr auto media_job_cpu_max = 20s;
inline constexpr auto media_job_wall_max = 40s;
// Gives way to everything else. Not SCHED_IDLE, which delays others no less: beside work that does
// not pause it is a fifth of the share, and jobs would come to their wall time before they had a
// second of CPU. No I/O priority: a job touches no disk.
inline constexpr int media_job_niceness = 19;
// Of the thread that brings contents to jobs and back: a tenth of a loop's share.
inline constexpr int media_loop_niceness = 10;
inline constexpr auto media_answer_slack = 5s;  // After which the zygote itself is given up.
inline constexpr auto media_start_max = 10s;
inline constexpr auto media_restart_first = 200ms;  // Doubles with each failed start.
inline constexpr auto media_restart_max = 30s;
inline constexpr std::uint64_t media_output_bytes_max = 128 * MiB;
inline constexpr std::uint64_t media_pixels_max = 100'000'000;
inline constexpr std::uint32_t media_frames_max = 4096;  // Or pages.
inline constexpr std::uint32_t jpeg_side_pixels_max = 65'500;
inline constexpr std::uint32_t preview_width_pixels_max = 4096;
inline constexpr std::uint32_t preview_width_pixels_default = 640;
inline constexpr std::size_t media_descriptors_max = 16;  // Of a job.

inline constexpr auto media_examine_delay = 2s;  // After the start, to see what is lacking.

// Sound and video: one ffmpeg a job.
inline constexpr auto sound_duration_max = 30min;  // What 20 s of CPU encode as one channel.
// What it may write to, libraries' code and shared memory not counted.
inline constexpr std::uint64_t ffmpeg_sound_memory_bytes_max = 128 * MiB;
inline constexpr std::uint64_t ffmpeg_film_memory_bytes_max = 256 * MiB;
inline constexpr std::size_t ffmpeg_descriptors_max = 32;
inline constexpr std::size_t ffmpeg_log_bytes_max = 64 * KiB;
inline constexpr std::size_t ffmpeg_streams_max = 64;          // In one file.
inline constexpr auto ffmpeg_look_interval = 50ms;             // At what it says of the input.
inline constexpr std::size_t movie_head_bytes_max = 16 * MiB;  // The moov box of a product.
inline constexpr std::size_t waveform_peaks = 100;

inline constexpr std::size_t blocking_threads = 8;

}  // namespace satchel::limits
