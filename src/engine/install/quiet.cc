// Holds back what a library prints to the error stream while it loads, and gives it back as text.
// TensorFlow greets from a static constructor, before any of its settings can be changed: only the
// stream itself can be turned away. dup2 keeps the stream's own description alive, so a terminal, a
// file, a pipe or a socket comes back exactly as it was.
#include <node_api.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace {

int saved = -1;
FILE* held = nullptr;

napi_value Mute(napi_env, napi_callback_info) {
  if (saved >= 0) return nullptr;
  held = tmpfile();
  if (held == nullptr) return nullptr;
  fflush(stderr);
  saved = dup(STDERR_FILENO);
  if (saved >= 0) dup2(fileno(held), STDERR_FILENO);
  return nullptr;
}

napi_value Unmute(napi_env env, napi_callback_info) {
  std::string text;
  if (saved >= 0) {
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    saved = -1;
    char part[4096];
    rewind(held);
    for (size_t got; text.size() < 65536 && (got = fread(part, 1, sizeof part, held)) > 0;) {
      text.append(part, got);
    }
  }
  if (held != nullptr) fclose(held);
  held = nullptr;
  napi_value result;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "mute", NAPI_AUTO_LENGTH, Mute, nullptr, &function);
  napi_set_named_property(env, exports, "mute", function);
  napi_create_function(env, "unmute", NAPI_AUTO_LENGTH, Unmute, nullptr, &function);
  napi_set_named_property(env, exports, "unmute", function);
  return exports;
}

}  // namespace

NAPI_MODULE(firstsolo_quiet, Init)
