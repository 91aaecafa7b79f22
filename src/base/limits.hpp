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

// Messages (contract sections 1.7, 1.8, 3.2 and 3.4).
inline constexpr std::size_t message_body_bytes_max = 4 * MiB;
inline constexpr std::size_t recipients_max = 31;
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

// Delivery.
inline constexpr std::size_t deliveries_parallel_max = 256;
inline constexpr std::uint32_t delivery_attempts_max = 8;
inline constexpr auto delivery_retry_first = 2s;  // Doubles with each attempt.
inline constexpr auto delivery_lease = 5min;

// Metadata.
inline constexpr std::size_t commit_batch_max = 256;
inline constexpr std::size_t commit_queue_max = 8192;  // Beyond it a write is refused: 503.
inline constexpr std::size_t sweep_batch_max = 200;
inline constexpr auto sweep_interval = 10s;
inline constexpr std::size_t audit_page_max = 1000;  // Entries read at once.

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

inline constexpr std::size_t blocking_threads = 8;

}  // namespace satchel::limits
