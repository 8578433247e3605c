#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// Where the model lies, and what its files must be.
///
/// What is checked when: opening a model checks all that takes no reading of the weights (structure
/// and size of the file, digest of the vocabulary), in a few milliseconds; the digest of the
/// weights' 90 MB takes twenty times as long, more than embedding a question does, so only setup
/// and `doctor` compute it (verify_model). A bit that flipped in the weights since is therefore not
/// seen; that no vector is made of numbers that are none is checked at each text.
namespace bb5::local {

inline constexpr std::string_view weights_file = "model.safetensors";
inline constexpr std::string_view vocabulary_file = "vocab.txt";
inline constexpr std::string_view weights_sha256 =
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
inline constexpr std::string_view vocabulary_sha256 =
    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3";

/// Belongs to every error about the model's files.
inline constexpr std::string_view model_remedy =
    "scripts/setup brings the model; BB5_MODEL_DIR may name a folder with model.safetensors and "
    "vocab.txt";

/// Folders where the model may lie, in the order in which they count: BB5_MODEL_DIR alone when it
/// is set; else beside the program (installed: ../share/bb5-memory/models/all-MiniLM-L6-v2; in a
/// build tree: third_party/minilm of the source tree), then the user's own:
/// bb5-memory/models/all-MiniLM-L6-v2 in XDG_DATA_HOME (~/.local/share).
[[nodiscard]] std::vector<std::filesystem::path> model_folders();

/// The first of model_folders() that has both files. Errors: not_found; the message lists them all.
[[nodiscard]] Result<std::filesystem::path> find_model();

/// Reads both files and compares their digests. Takes about as long as reading 90 MB.
/// Errors: not_found, refused, unavailable; corrupt, when a digest differs.
[[nodiscard]] Result<> verify_model(const std::filesystem::path& folder);

/// Of one file's bytes. Errors: corrupt.
[[nodiscard]] Result<> verify_digest(std::string_view bytes, const std::filesystem::path& file,
                                     std::string_view sha256);

}  // namespace bb5::local
