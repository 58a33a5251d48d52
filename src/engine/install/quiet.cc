// What only native code can do for TensorFlow's peace.
//
// mute, unmute: hold back what a library prints to the error stream while it loads, and give it back as text.
// TensorFlow greets from a static constructor, before any of its settings can be changed: only the
// stream itself can be turned away. dup2 keeps the stream's own description alive, so a terminal, a
// file, a pipe or a socket comes back exactly as it was.
//
// shelter: no signal is handled in the calling thread any more, nor in threads that it starts afterwards; another
// thread takes them. oneDNN's products of up to version 3.11 (TensorFlow 2.21 has one) keep their stack pointer in
// the heap, so a handler's frame is written over whatever lies there (oneDNN issue 4845): a terminal that is
// resized, a simulator that ends or Ctrl-C could crash a run, or quietly change its numbers. libuv's handlers only
// write to a pipe, so any thread may run them, and it starts child processes with nothing blocked.
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
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

void* TakeSignals(void*) {
  for (;;) pause();
}

/** Faults are answered by the thread that made them: blocked there, they would end the process. */
sigset_t SignalsFromOutside() {
  sigset_t set;
  sigfillset(&set);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&set, fault);
  return set;
}

napi_value Shelter(napi_env env, napi_callback_info) {
  // Begun before anything is blocked: a new thread blocks what the one that starts it does.
  static const bool taken = [] {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, TakeSignals, nullptr) != 0) return false;
    pthread_detach(thread);
    return true;
  }();
  if (taken) {
    const sigset_t set = SignalsFromOutside();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }
  napi_value result;
  napi_get_boolean(env, taken, &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "mute", NAPI_AUTO_LENGTH, Mute, nullptr, &function);
  napi_set_named_property(env, exports, "mute", function);
  napi_create_function(env, "unmute", NAPI_AUTO_LENGTH, Unmute, nullptr, &function);
  napi_set_named_property(env, exports, "unmute", function);
  napi_create_function(env, "shelter", NAPI_AUTO_LENGTH, Shelter, nullptr, &function);
  napi_set_named_property(env, exports, "shelter", function);
  return exports;
}

}  // namespace

NAPI_MODULE(firstsolo_quiet, Init)
