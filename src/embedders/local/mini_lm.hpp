#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "embedders/local/crew.hpp"
#include "embedders/local/kernels.hpp"
#include "embedders/local/safetensors.hpp"

/// The encoder all-MiniLM-L6-v2: BERT (Devlin and others, 2019, section 3) with six layers, in
/// float32; a text's vector is the mean of its tokens' last states, made length 1.
namespace bb5::local {

inline constexpr std::size_t dimension = 384;
inline constexpr std::size_t longest_text = 256;  ///< Tokens that the model was trained on.

/// Texts that are encoded together: their tokens one after the other, nothing between them.
struct PackedTexts {
  std::vector<std::int32_t> ids;
  std::vector<std::size_t> starts{0};  ///< Of each text in ids, and the end of the last.

  void add(std::span<const std::int32_t> text);
  [[nodiscard]] std::size_t tokens() const { return ids.size(); }
  [[nodiscard]] std::size_t size() const { return starts.size() - 1; }
};

/// Features × tokens, as kernels.hpp has them; grows and never shrinks.
class Activations {
 public:
  void reserve(std::size_t floats);
  [[nodiscard]] float* data() const { return at_.get(); }

 private:
  struct Free {
    void operator()(float* at) const;
  };
  std::unique_ptr<float[], Free> at_;
  std::size_t floats_ = 0;
};

/// What one thread needs to encode texts. Not thread-safe, except that the parts of a job read each
/// other's `shares`.
struct Workspace {
  Activations states;   ///< One row a feature; the same in every part.
  Activations queries;  ///< With keys and values: a few heads of the part's own.
  Activations keys;
  Activations values;
  Activations scores;                 ///< Of one text in one head.
  Activations heads;                  ///< What attention gave, all heads of the part.
  Activations hidden;                 ///< A slice of the feed-forward layer's rows.
  std::array<Activations, 2> shares;  ///< The part's share of a sum over all parts, twice: one is
                                      ///< written while others still read the other.

  void reserve(std::size_t tokens);
};

/// Safe to use from several threads at once, each with workspaces of its own.
class MiniLm {
 public:
  /// Numbers of parts that a job can be divided into.
  static constexpr std::size_t most_parts = 4;

  /// Refers to the tensors' bytes, which must outlive it. kernels: one of available_kernels().
  /// Errors: corrupt.
  [[nodiscard]] static Result<MiniLm> over(const SafeTensors& tensors, const Kernels& kernels);

  /// Does one part of encoding the texts; each part is called once, on a thread of its own, with
  /// the same arguments else. The parts divide the heads and the feed-forward rows among them, so
  /// even a single text is done by several cores. workspaces: one a part (1, 2 or 4), each reserved
  /// for the texts' tokens. vectors: texts.size() × dimension numbers; written by part 0.
  /// ids: 0 to vocabulary_size() - 1, at most longest_text a text, at least one.
  void encode(const PackedTexts& texts, std::span<Workspace* const> workspaces, Meeting& meeting,
              std::size_t part, float* vectors) const;

  [[nodiscard]] std::size_t vocabulary_size() const { return vocabulary_size_; }

 private:
  struct Linear {
    const float* weight = nullptr;  ///< Outputs × inputs.
    const float* bias = nullptr;
  };
  struct Norm {
    const float* gain = nullptr;
    const float* bias = nullptr;
  };
  struct Layer {
    Linear query, key, value, attention;
    Norm after_attention;
    Linear widen, narrow;
    Norm after_feed_forward;
  };
  class Part;

  const Kernels* kernels_ = nullptr;
  const float* words_ = nullptr;
  const float* positions_ = nullptr;
  const float* type_ = nullptr;
  Norm after_embedding_;
  std::vector<Layer> layers_;
  std::size_t vocabulary_size_ = 0;
};

}  // namespace bb5::local
