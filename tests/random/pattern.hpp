// Pattern: an endless text of which each byte follows from its position, so that whoever holds a piece can say where
// it belongs. Unreturned: the model of a stream, which pieces of it were sent and have not come back yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace usocket::tests {

class Pattern {
public:
    // A line ends where `grain` divides the position of the byte behind it, one time in `odds`; never if odds is 0.
    Pattern(std::uint64_t seed, std::uint64_t odds, std::uint64_t grain = 1)
        : seed_(seed), odds_(odds), grain_(grain) {}

    [[nodiscard]] char at(std::uint64_t position) const {
        const std::uint64_t mixed = mix(position);
        const bool ends_line = odds_ != 0 && (position + 1) % grain_ == 0 && (mixed >> 32) % odds_ == 0;
        return ends_line ? '\n' : static_cast<char>('!' + mixed % 94);
    }
    [[nodiscard]] std::string bytes(std::uint64_t from, std::uint64_t size) const {
        std::string text(size, ' ');
        for (std::uint64_t i = 0; i < size; ++i) text[i] = at(from + i);
        return text;
    }
    [[nodiscard]] bool is_at(std::uint64_t position, std::string_view piece) const {
        for (std::size_t i = 0; i < piece.size(); ++i) {
            if (piece[i] != at(position + i)) return false;
        }
        return true;
    }
    // Where in the first `limit` bytes the piece is; its beginning is enough.
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view piece, std::uint64_t limit) const {
        for (std::uint64_t at = 0; at < limit; ++at) {
            if (is_at(at, piece.substr(0, 24))) return at;
        }
        return std::nullopt;
    }

private:
    [[nodiscard]] std::uint64_t mix(std::uint64_t position) const {
        std::uint64_t mixed = (position + 1) * 0x9e3779b97f4a7c15ULL + seed_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }

    std::uint64_t seed_, odds_, grain_;
};

class Unreturned {
public:
    void push(std::uint64_t from, std::uint64_t size) {
        if (size == 0) return;
        size_ += size;
        if (!pieces_.empty() && pieces_.back().end == from) {
            pieces_.back().end += size;
        } else {
            pieces_.push_back({from, from + size});
        }
    }
    void clear() {
        pieces_.clear();
        size_ = 0;
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    // The position in the pattern of the byte that is `offset` behind the next one.
    [[nodiscard]] std::uint64_t position(std::uint64_t offset) const {
        for (const Piece& piece : pieces_) {
            if (offset < piece.end - piece.begin) return piece.begin + offset;
            offset -= piece.end - piece.begin;
        }
        return UINT64_MAX;
    }
    // Whether the bytes behind `offset` are these.
    [[nodiscard]] bool is_next(const Pattern& pattern, std::string_view bytes, std::uint64_t offset = 0) const {
        if (offset + bytes.size() > size_) return false;
        for (const Piece& piece : pieces_) {
            const std::uint64_t size = piece.end - piece.begin;
            if (offset >= size) {
                offset -= size;
                continue;
            }
            const std::string_view part = bytes.substr(0, size - offset);
            if (!pattern.is_at(piece.begin + offset, part)) return false;
            bytes.remove_prefix(part.size());
            offset = 0;
            if (bytes.empty()) break;
        }
        return true;
    }
    void erase(std::uint64_t size, std::uint64_t offset = 0) {
        std::deque<Piece> left;
        std::uint64_t at = 0;
        for (const Piece& piece : pieces_) {
            // What of it lies in front of the gap, and what behind.
            const std::uint64_t end = at + (piece.end - piece.begin);
            if (at < offset) left.push_back({piece.begin, piece.begin + (std::min(end, offset) - at)});
            if (end > offset + size) left.push_back({piece.end - (end - std::max(at, offset + size)), piece.end});
            at = end;
        }
        pieces_ = std::move(left);
        size_ -= size;
    }

private:
    struct Piece {
        std::uint64_t begin, end;
    };
    std::deque<Piece> pieces_;
    std::uint64_t size_ = 0;
};

}  // namespace usocket::tests
