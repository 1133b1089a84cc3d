// Records of any kind and content under the keys of a peer that is agreed: what no library for TLS would send.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>

namespace usocket::tests {

enum class Content : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, data = 23 };

// Of one direction: AES-128-GCM with SHA-256, of either version of TLS.
class Sealer {
public:
    // TLS 1.2 (RFC 5246, section 6.3): the session's master secret, and the hellos' random numbers. The first record
    // under the keys was Finished.
    static Sealer tls_1_2(std::string_view master, std::string_view client, std::string_view server, bool is_client) {
        std::string seed(server);
        seed += client;
        const std::string block = derive(
            "TLS1-PRF", 40,
            {{OSSL_KDF_PARAM_SECRET, master}, {OSSL_KDF_PARAM_SEED, "key expansion"}, {OSSL_KDF_PARAM_SEED, seed}});
        Sealer made;
        made.key_ = block.substr(is_client ? 0 : 16, 16);
        made.nonce_ = block.substr(is_client ? 32 : 36, 4);
        made.sequence_ = 1;
        return made;
    }

    // TLS 1.3 (RFC 8446, section 7.3): the direction's secret.
    static Sealer tls_1_3(std::string_view secret) {
        Sealer made;
        made.is_newer_ = true;
        made.key_ = expand(secret, "key", 16);
        made.nonce_ = expand(secret, "iv", 12);
        return made;
    }

    std::string seal(Content content, std::string_view payload) {
        const std::string sequence = big_endian(sequence_++, 8);
        const std::string plain = std::string(payload) + (is_newer_ ? std::string(1, static_cast<char>(content)) : "");
        const std::string begin(1, static_cast<char>(is_newer_ ? Content::data : content));
        const std::size_t size = plain.size() + (is_newer_ ? 16 : 24);
        const std::string header = begin + "\x03\x03" + big_endian(size, 2);
        if (!is_newer_) {
            const std::string about = sequence + begin + "\x03\x03" + big_endian(plain.size(), 2);
            return header + sequence + encrypt(nonce_ + sequence, about, plain);
        }
        std::string nonce = nonce_;
        for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<char>(nonce[4 + i] ^ sequence[i]);
        return header + encrypt(nonce, header, plain);
    }

private:
    struct Named {
        const char* name;
        std::string_view value;
    };

    static std::string big_endian(std::uint64_t number, std::size_t size) {
        std::string text(size, '\0');
        for (std::size_t i = size; i-- > 0; number >>= 8) text[i] = static_cast<char>(number & 0xff);
        return text;
    }

    static std::string derive(const char* function, std::size_t size, std::initializer_list<Named> inputs) {
        OSSL_PARAM params[8];
        std::size_t count = 0;
        std::string digest = "SHA256";
        params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0);
        int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
        if (std::string_view(function) == "TLS13-KDF") {
            params[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
        }
        for (const Named& input : inputs) {
            void* bytes = const_cast<char*>(input.value.data());
            params[count++] = OSSL_PARAM_construct_octet_string(input.name, bytes, input.value.size());
        }
        params[count] = OSSL_PARAM_construct_end();
        EVP_KDF* kdf = EVP_KDF_fetch(nullptr, function, nullptr);
        EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
        std::string derived(size, '\0');
        auto* into = reinterpret_cast<unsigned char*>(derived.data());
        if (EVP_KDF_derive(context, into, size, params) != 1) std::abort();
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
        return derived;
    }

    static std::string expand(std::string_view secret, std::string_view label, std::size_t size) {
        return derive("TLS13-KDF", size,
                      {{OSSL_KDF_PARAM_KEY, secret},
                       {OSSL_KDF_PARAM_PREFIX, "tls13 "},
                       {OSSL_KDF_PARAM_LABEL, label},
                       {OSSL_KDF_PARAM_DATA, ""}});
    }

    // With the tag behind it.
    [[nodiscard]] std::string encrypt(std::string_view nonce, std::string_view about, std::string_view plain) const {
        const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
        const auto size = [](std::string_view text) { return static_cast<int>(text.size()); };
        std::string sealed(plain.size() + 16, '\0');
        auto* into = reinterpret_cast<unsigned char*>(sealed.data());
        int count = 0;
        EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
        bool is_right = EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, bytes(key_), bytes(nonce)) == 1;
        is_right = is_right && EVP_EncryptUpdate(context, nullptr, &count, bytes(about), size(about)) == 1;
        is_right = is_right && EVP_EncryptUpdate(context, into, &count, bytes(plain), size(plain)) == 1;
        is_right = is_right && EVP_EncryptFinal_ex(context, into + plain.size(), &count) == 1;
        is_right = is_right && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, into + plain.size()) == 1;
        EVP_CIPHER_CTX_free(context);
        if (!is_right) std::abort();
        return sealed;
    }

    std::string key_, nonce_;
    std::uint64_t sequence_ = 0;
    bool is_newer_ = false;
};

}  // namespace usocket::tests
