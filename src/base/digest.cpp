#include "base/digest.hpp"

#include <stdexcept>

#include <openssl/evp.h>

namespace bb5 {
namespace {

template <class Digest>
Digest digest_of(const EVP_MD* algorithm, std::string_view bytes) {
  Digest digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, algorithm, nullptr) != 1 ||
      length != digest.size()) {
    throw std::runtime_error("the cryptographic library refused to compute a digest");
  }
  return digest;
}

}  // namespace

Md5 md5(std::string_view bytes) {
  return digest_of<Md5>(EVP_md5(), bytes);
}
Sha1 sha1(std::string_view bytes) {
  return digest_of<Sha1>(EVP_sha1(), bytes);
}
Sha256 sha256(std::string_view bytes) {
  return digest_of<Sha256>(EVP_sha256(), bytes);
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

struct Sha256Stream::State {
  State() : context(EVP_MD_CTX_new()) { start(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void start() const { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  EVP_MD_CTX* context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256Stream::add_field(char tag, std::string_view bytes) {
  std::array<char, 9> head{tag};
  for (std::size_t i = 0; i < 8; ++i) head[1 + i] = static_cast<char>(bytes.size() >> (56 - 8 * i));
  add({head.data(), head.size()});
  add(bytes);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &length);
  state_->start();
  return digest;
}

}  // namespace bb5
