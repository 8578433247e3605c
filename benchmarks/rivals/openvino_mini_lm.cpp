#include "benchmarks/rivals/openvino_mini_lm.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "benchmarks/support/measure.hpp"
#include "embedders/local/mapped_file.hpp"
#include "embedders/local/safetensors.hpp"

namespace bb5::bench {
namespace {

namespace op = ov::opset13;
using Node = ov::Output<ov::Node>;

constexpr std::int64_t width = 384;
constexpr std::int64_t heads = 12;

/// Builds the graph; constants refer to the mapped weights.
class Graph {
 public:
  explicit Graph(const local::SafeTensors& tensors) : tensors_(tensors) {}

  std::shared_ptr<ov::Model> build() {
    const auto texts = ov::Dimension::dynamic();
    const auto ids = input("ids", ov::element::i32, {texts, texts});
    const auto places = input("places", ov::element::i32, {1, texts});
    const auto masked = input("masked", ov::element::f32, {texts, 1, 1, texts});
    const auto present = input("present", ov::element::f32, {texts, texts, 1});
    const auto row = number(0);
    Node x =
        std::make_shared<op::Gather>(weight("embeddings.word_embeddings", {30522, 384}), ids, row);
    x = add(x, std::make_shared<op::Gather>(weight("embeddings.position_embeddings", {512, 384}),
                                            places, row));
    x = add(x, std::make_shared<op::Gather>(weight("embeddings.token_type_embeddings", {2, 384}),
                                            number(0), row));
    x = norm(x, "embeddings");
    for (int i = 0; i < 6; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i);
      const auto head = [&](const char* name) {
        const Node rows = linear(x, layer + ".attention.self." + name, {384, 384});
        const Node split =
            std::make_shared<op::Reshape>(rows, list({0, 0, heads, width / heads}), true);
        return std::make_shared<op::Transpose>(split, list({0, 2, 1, 3}));
      };
      const Node attended = std::make_shared<op::ScaledDotProductAttention>(
          head("query"), head("key"), head("value"), masked, false);
      const Node joined = std::make_shared<op::Reshape>(
          std::make_shared<op::Transpose>(attended, list({0, 2, 1, 3})), list({0, 0, width}), true);
      x = norm(add(x, linear(joined, layer + ".attention.output.dense", {384, 384})),
               layer + ".attention.output");
      const Node wide =
          std::make_shared<op::Gelu>(linear(x, layer + ".intermediate.dense", {1536, 384}),
                                     ov::op::GeluApproximationMode::ERF);
      x = norm(add(x, linear(wide, layer + ".output.dense", {384, 1536})), layer + ".output");
    }
    const Node sum =
        std::make_shared<op::ReduceSum>(std::make_shared<op::Multiply>(x, present), list({1}));
    const Node unit =
        std::make_shared<op::NormalizeL2>(sum, list({1}), 1e-12F, ov::op::EpsMode::MAX);
    return std::make_shared<ov::Model>(ov::OutputVector{unit}, inputs_);
  }

 private:
  Node input(const char* name, ov::element::Type type, const ov::PartialShape& shape) {
    auto made = std::make_shared<op::Parameter>(type, shape);
    made->get_output_tensor(0).set_names({name});
    inputs_.push_back(made);
    return made;
  }
  static Node number(std::int32_t value) {
    return op::Constant::create(ov::element::i32, {}, {value});
  }
  static Node list(const std::vector<std::int64_t>& values) {
    return op::Constant::create(ov::element::i64, {values.size()}, values);
  }
  static Node add(const Node& a, const Node& b) { return std::make_shared<op::Add>(a, b); }

  Node tensor(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    const auto numbers = must(tensors_.floats(name, shape));
    return std::make_shared<op::Constant>(ov::element::f32, ov::Shape(shape.begin(), shape.end()),
                                          numbers.data(), nullptr);
  }
  Node weight(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    return tensor(name + ".weight", shape);
  }
  Node linear(const Node& x, const std::string& name, std::initializer_list<std::uint64_t> shape) {
    const Node product = std::make_shared<op::MatMul>(x, weight(name, shape), false, true);
    return add(product, tensor(name + ".bias", {*shape.begin()}));
  }
  Node norm(const Node& x, const std::string& name) {
    const Node unit =
        std::make_shared<op::MVN>(x, list({-1}), true, 1e-12F, ov::op::MVNEpsMode::INSIDE_SQRT);
    const Node gained =
        std::make_shared<op::Multiply>(unit, tensor(name + ".LayerNorm.weight", {384}));
    return add(gained, tensor(name + ".LayerNorm.bias", {384}));
  }

  const local::SafeTensors& tensors_;
  ov::ParameterVector inputs_;
};

}  // namespace

struct OpenVinoMiniLm::State {
  explicit State(local::MappedFile file) : weights(std::move(file)) {}
  local::MappedFile weights;
  ov::Core core;
  ov::CompiledModel model;
  std::vector<ov::InferRequest> requests;
};

OpenVinoMiniLm::OpenVinoMiniLm(const Options& options)
    : state_(std::make_unique<State>(
          must(local::MappedFile::open(options.folder / "model.safetensors")))) {
  const auto tensors = must(local::SafeTensors::parse(state_->weights.bytes(), "weights"));
  ov::AnyMap wishes{ov::inference_num_threads(options.threads), ov::num_streams(options.streams)};
  if (options.float32) wishes.insert(ov::hint::inference_precision(ov::element::f32));
  state_->model = state_->core.compile_model(Graph(tensors).build(), "CPU", wishes);
  for (int i = 0; i < options.streams; ++i)
    state_->requests.push_back(state_->model.create_infer_request());
}

OpenVinoMiniLm::~OpenVinoMiniLm() = default;

std::vector<std::vector<float>> OpenVinoMiniLm::embed(
    std::span<const std::vector<std::int32_t>> ids) {
  const std::size_t share = (ids.size() + state_->requests.size() - 1) / state_->requests.size();
  std::vector<ov::InferRequest*> running;
  for (std::size_t from = 0; from < ids.size(); from += share) {
    const auto texts = ids.subspan(from, std::min(share, ids.size() - from));
    std::size_t longest = 0;
    for (const auto& text : texts) longest = std::max(longest, text.size());
    ov::InferRequest& request = state_->requests[running.size()];
    const auto tensor = [&](const char* name, ov::element::Type type, const ov::Shape& shape) {
      ov::Tensor made(type, shape);
      request.set_tensor(name, made);
      return made;
    };
    auto id = tensor("ids", ov::element::i32, {texts.size(), longest});
    auto place = tensor("places", ov::element::i32, {1, longest});
    auto masked = tensor("masked", ov::element::f32, {texts.size(), 1, 1, longest});
    auto present = tensor("present", ov::element::f32, {texts.size(), longest, 1});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (std::size_t at = 0; at < longest; ++at) {
        const bool there = at < texts[i].size();
        id.data<std::int32_t>()[i * longest + at] = there ? texts[i][at] : 0;
        place.data<std::int32_t>()[at] = static_cast<std::int32_t>(at);
        masked.data<float>()[i * longest + at] = there ? 0.0F : -1e9F;
        present.data<float>()[i * longest + at] = there ? 1.0F : 0.0F;
      }
    }
    request.start_async();
    running.push_back(&request);
  }
  std::vector<std::vector<float>> vectors;
  for (ov::InferRequest* request : running) {
    request->wait();
    const ov::Tensor output = request->get_output_tensor();
    const float* numbers = output.data<float>();
    for (std::size_t i = 0; i < output.get_shape()[0]; ++i)
      vectors.emplace_back(numbers + i * width, numbers + (i + 1) * width);
  }
  return vectors;
}

}  // namespace bb5::bench
