// Columns as our types. What does not fit one is Errc::corrupt: only damage or a stranger's hand
// can have put it there.
#pragma once

#include "base/uuid.hpp"
#include "meta/database.hpp"

#include <optional>

namespace satchel::meta {

inline Bytes bytes_at(const Statement& row, int column) {
    const ByteView view = row.blob(column);
    return {view.begin(), view.end()};
}

inline Time time_at(const Statement& row, int column) {
    return from_micros(row.integer(column));
}

inline std::optional<Time> optional_time_at(const Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return time_at(row, column);
}

// A text that was sealed with Session::texts().
inline Result<std::string> sealed_text_at(const Statement& row,
                                          int column,
                                          const Session& session,
                                          std::string_view field,
                                          ByteView owner) {
    return session.texts().open(field, owner, row.blob(column));
}

template <class IdType>
Result<IdType> id_at(const Statement& row, int column) {
    const ByteView view = row.blob(column);
    if (view.size() != 16) return fail(Errc::corrupt, "an id in the metadata is not 16 bytes");
    return IdType{Uuid::from_bytes(view.first<16>())};
}

template <class IdType>
Result<std::optional<IdType>> optional_id_at(const Statement& row, int column) {
    if (row.is_null(column)) return std::optional<IdType>{};
    TRY(const auto id, id_at<IdType>(row, column));
    return std::optional<IdType>{id};
}

// The rest of a statement's rows, each through `read`: Result<T>(const Statement&).
template <class Read, class T = std::invoke_result_t<Read&, const Statement&>::value_type>
Result<std::vector<T>> all_rows(Statement& statement, Read read) {
    std::vector<T> rows;
    for (;;) {
        TRY(const bool found, statement.step());
        if (!found) return rows;
        TRY(rows.emplace_back(), read(statement));
    }
}

// The first row, if there is one.
template <class Read, class T = std::invoke_result_t<Read&, const Statement&>::value_type>
Result<std::optional<T>> first_row(Statement& statement, Read read) {
    TRY(const bool found, statement.step());
    if (!found) return std::optional<T>{};
    TRY(auto row, read(statement));
    return std::optional<T>{std::move(row)};
}

// For statements that end in RETURNING: whether they changed a row.
inline Result<bool> changed(Statement& statement) {
    return statement.step();
}

}  // namespace satchel::meta
