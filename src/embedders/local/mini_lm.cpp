#include "embedders/local/mini_lm.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

namespace bb5::local {
namespace {

constexpr std::size_t layer_count = 6;
constexpr std::size_t head_count = 12;
constexpr std::size_t head_rows = dimension / head_count;
constexpr std::size_t hidden_rows = 4 * dimension;
constexpr std::size_t positions = 512;
/// So many heads, and rows of the feed-forward layer, at a time: their values stay in the cache.
constexpr std::size_t heads_at_once = 3;
constexpr std::size_t hidden_at_once = 384;

static_assert(head_count % (MiniLm::most_parts * heads_at_once) == 0);
static_assert(hidden_rows % (MiniLm::most_parts * hidden_at_once) == 0);

constexpr std::size_t up_to(std::size_t count, std::size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Floats from one row to the next: room for the spare columns, and an odd number of cache lines,
/// so that the rows of a column do not all fall into the same few sets of the cache.
constexpr std::size_t stride_for(std::size_t tokens) {
  return (up_to(tokens + spare_columns, 16) / 16 | 1U) * 16;
}

/// Reads tensors and remembers the first that is not as it should be.
class TensorReader {
 public:
  explicit TensorReader(const SafeTensors& tensors) : tensors_(tensors) {}

  const float* read(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    const auto numbers = tensors_.floats(name, shape);
    if (numbers) return numbers->data();
    if (failure_) failure_ = numbers.error();
    return nullptr;
  }
  [[nodiscard]] Result<>& failure() { return failure_; }

 private:
  const SafeTensors& tensors_;
  Result<> failure_;
};

}  // namespace

void PackedTexts::add(std::span<const std::int32_t> text) {
  ids.insert(ids.end(), text.begin(), text.end());
  starts.push_back(ids.size());
}

void Activations::Free::operator()(float* at) const {
  operator delete[](at, std::align_val_t{64});
}

void Activations::reserve(std::size_t floats) {
  if (floats <= floats_) return;
  at_.reset();
  floats_ = 0;
  at_.reset(new (std::align_val_t{64}) float[floats]());
  floats_ = floats;
}

void Workspace::reserve(std::size_t tokens) {
  const std::size_t stride = stride_for(tokens);
  states.reserve(dimension * stride);
  for (Activations* rows : {&queries, &keys, &values})
    rows->reserve(heads_at_once * head_rows * stride);
  scores.reserve(std::min(tokens, longest_text) * stride_for(std::min(tokens, longest_text)));
  heads.reserve(dimension * stride);
  hidden.reserve(hidden_at_once * stride);
  for (Activations& share : shares) share.reserve(dimension * stride);
}

Result<MiniLm> MiniLm::over(const SafeTensors& tensors, const Kernels& kernels) {
  MiniLm model;
  model.kernels_ = &kernels;
  TensorReader reader(tensors);
  const auto norm = [&](const std::string& name) {
    return Norm{reader.read(name + ".LayerNorm.weight", {dimension}),
                reader.read(name + ".LayerNorm.bias", {dimension})};
  };
  const auto linear = [&](const std::string& name, std::size_t outputs, std::size_t inputs) {
    return Linear{reader.read(name + ".weight", {outputs, inputs}),
                  reader.read(name + ".bias", {outputs})};
  };
  // How many words there are, only the file says; the tokenizer's vocabulary is compared with it.
  const auto words = tensors.rows("embeddings.word_embeddings.weight", dimension);
  if (!words) return words.error();
  model.words_ = words->data();
  model.vocabulary_size_ = words->size() / dimension;
  model.positions_ = reader.read("embeddings.position_embeddings.weight", {positions, dimension});
  model.type_ = reader.read("embeddings.token_type_embeddings.weight", {2, dimension});
  model.after_embedding_ = norm("embeddings");
  for (std::size_t i = 0; i < layer_count; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i);
    model.layers_.push_back({
        .query = linear(layer + ".attention.self.query", dimension, dimension),
        .key = linear(layer + ".attention.self.key", dimension, dimension),
        .value = linear(layer + ".attention.self.value", dimension, dimension),
        .attention = linear(layer + ".attention.output.dense", dimension, dimension),
        .after_attention = norm(layer + ".attention.output"),
        .widen = linear(layer + ".intermediate.dense", hidden_rows, dimension),
        .narrow = linear(layer + ".output.dense", dimension, hidden_rows),
        .after_feed_forward = norm(layer + ".output"),
    });
  }
  if (!reader.failure()) return reader.failure().error();
  return model;
}

/// One part's way through the layers.
class MiniLm::Part {
 public:
  Part(const MiniLm& model, const PackedTexts& texts, std::span<Workspace* const> workspaces,
       Meeting& meeting, std::size_t part)
      : model_(model),
        kernels_(*model.kernels_),
        texts_(texts),
        workspaces_(workspaces),
        own_(*workspaces[part]),
        meeting_(meeting),
        part_(part),
        tokens_(texts.tokens()),
        stride_(stride_for(tokens_)) {}

  void run(float* vectors) {
    embed();
    for (const Layer& layer : model_.layers_) {
      attend(layer);
      add_shares(0, layer.after_attention);
      feed_forward(layer);
      add_shares(1, layer.after_feed_forward);
    }
    if (part_ == 0) pool(vectors);
  }

 private:
  /// The sum of word, position and type, a column a token.
  void embed() {
    float* states = own_.states.data();
    std::size_t column = 0;
    for (std::size_t text = 0; text < texts_.size(); ++text) {
      for (std::size_t at = texts_.starts[text]; at < texts_.starts[text + 1]; ++at, ++column) {
        const float* word = model_.words_ + static_cast<std::size_t>(texts_.ids[at]) * dimension;
        const float* position = model_.positions_ + (at - texts_.starts[text]) * dimension;
        for (std::size_t row = 0; row < dimension; ++row)
          states[row * stride_ + column] = word[row] + model_.type_[row] + position[row];
      }
    }
    for (std::size_t row = 0; row < dimension; ++row)
      std::fill(states + row * stride_ + tokens_, states + (row + 1) * stride_, 0.0F);
    normalise(model_.after_embedding_);
  }

  /// The part's heads, and what they add to the states.
  void attend(const Layer& layer) {
    const std::size_t heads = head_count / workspaces_.size();
    const std::size_t first_row = part_ * heads * head_rows;
    for (std::size_t head = 0; head < heads; head += heads_at_once) {
      const std::size_t row = head * head_rows;
      project(layer.query, first_row + row, own_.queries.data());
      project(layer.key, first_row + row, own_.keys.data());
      project(layer.value, first_row + row, own_.values.data());
      for (std::size_t of_these = 0; of_these < heads_at_once; ++of_these)
        attend_head(of_these * head_rows * stride_, own_.heads.data() + row * stride_);
    }
    kernels_.multiply({.factor = layer.attention.weight + first_row,
                       .factor_row = dimension,
                       .input = own_.heads.data(),
                       .input_stride = stride_,
                       .result = own_.shares[0].data(),
                       .result_stride = stride_,
                       .rows = dimension,
                       .depth = heads * head_rows,
                       .columns = tokens_,
                       .bias = part_ == 0 ? layer.attention.bias : nullptr});
  }

  void project(const Linear& linear, std::size_t first_row, float* result) {
    kernels_.multiply({.factor = linear.weight + first_row * dimension,
                       .factor_row = dimension,
                       .input = own_.states.data(),
                       .input_stride = stride_,
                       .result = result,
                       .result_stride = stride_,
                       .rows = heads_at_once * head_rows,
                       .depth = dimension,
                       .columns = tokens_,
                       .bias = linear.bias + first_row});
  }

  /// Each text by itself: a row of scores for each key, a column for each query. The spare columns
  /// behind a text are the next one's first, which is written after it.
  void attend_head(std::size_t head, float* result) {
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_rows));
    for (std::size_t text = 0; text < texts_.size(); ++text) {
      const std::size_t first = texts_.starts[text];
      const std::size_t tokens = texts_.starts[text + 1] - first;
      const std::size_t stride = stride_for(tokens);
      kernels_.multiply({.factor = own_.keys.data() + head + first,
                         .factor_row = 1,
                         .factor_step = stride_,
                         .input = own_.queries.data() + head + first,
                         .input_stride = stride_,
                         .result = own_.scores.data(),
                         .result_stride = stride,
                         .rows = tokens,
                         .depth = head_rows,
                         .columns = tokens});
      kernels_.softmax(own_.scores.data(), tokens, tokens, stride, scale);
      kernels_.multiply({.factor = own_.values.data() + head + first,
                         .factor_row = stride_,
                         .input = own_.scores.data(),
                         .input_stride = stride,
                         .result = result + head + first,
                         .result_stride = stride_,
                         .rows = head_rows,
                         .depth = tokens,
                         .columns = tokens});
    }
  }

  /// The part's rows of the hidden layer, and what they add to the states.
  void feed_forward(const Layer& layer) {
    const std::size_t rows = hidden_rows / workspaces_.size();
    const std::size_t first = part_ * rows;
    for (std::size_t row = first; row < first + rows; row += hidden_at_once) {
      kernels_.multiply({.factor = layer.widen.weight + row * dimension,
                         .factor_row = dimension,
                         .input = own_.states.data(),
                         .input_stride = stride_,
                         .result = own_.hidden.data(),
                         .result_stride = stride_,
                         .rows = hidden_at_once,
                         .depth = dimension,
                         .columns = tokens_,
                         .bias = layer.widen.bias + row});
      kernels_.gelu(own_.hidden.data(), hidden_at_once, tokens_, stride_);
      kernels_.multiply({.factor = layer.narrow.weight + row,
                         .factor_row = hidden_rows,
                         .input = own_.hidden.data(),
                         .input_stride = stride_,
                         .result = own_.shares[1].data(),
                         .result_stride = stride_,
                         .rows = dimension,
                         .depth = hidden_at_once,
                         .columns = tokens_,
                         .bias = part_ == 0 ? layer.narrow.bias : nullptr,
                         .add = row != first});
    }
  }

  /// Every part adds up all shares in the same order, so all have the same states.
  void add_shares(std::size_t which, const Norm& norm) {
    meeting_.wait();
    float* states = own_.states.data();
    for (const Workspace* workspace : workspaces_) {
      const float* share = workspace->shares[which].data();
      for (std::size_t i = 0; i < dimension * stride_; ++i) states[i] += share[i];
    }
    normalise(norm);
  }

  void normalise(const Norm& norm) {
    kernels_.normalise(own_.states.data(), dimension, tokens_, stride_, norm.gain, norm.bias);
  }

  /// The mean would be divided by its length anyway: a sum will do.
  void pool(float* vectors) const {
    for (std::size_t text = 0; text < texts_.size(); ++text, vectors += dimension) {
      double squares = 0;
      for (std::size_t row = 0; row < dimension; ++row) {
        const float* states = own_.states.data() + row * stride_;
        float sum = 0;
        for (std::size_t at = texts_.starts[text]; at < texts_.starts[text + 1]; ++at)
          sum += states[at];
        vectors[row] = sum;
        squares += double{sum} * double{sum};
      }
      const auto factor = static_cast<float>(1 / std::sqrt(squares));
      for (std::size_t row = 0; row < dimension; ++row) vectors[row] *= factor;
    }
  }

  const MiniLm& model_;
  const Kernels& kernels_;
  const PackedTexts& texts_;
  std::span<Workspace* const> workspaces_;
  Workspace& own_;
  Meeting& meeting_;
  std::size_t part_;
  std::size_t tokens_;
  std::size_t stride_;
};

void MiniLm::encode(const PackedTexts& texts, std::span<Workspace* const> workspaces,
                    Meeting& meeting, std::size_t part, float* vectors) const {
  Part(*this, texts, workspaces, meeting, part).run(vectors);
}

}  // namespace bb5::local
