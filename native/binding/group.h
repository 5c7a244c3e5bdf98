#pragma once
#include <napi.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "binding/call.h"
#include "distributed/group.h"
#include "runtime/worker.h"

namespace diffsal {

// A Group and the threads that its calls wait on; lib/distributed/group.ts is the class that users see. Arguments are checked there.
class GroupHandle : public Napi::ObjectWrap<GroupHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  static constexpr napi_type_tag type{0x6469666673616c01, 0x67726f7570000005};
  // new Group(). join() comes first.
  explicit GroupHandle(const Napi::CallbackInfo& info);
  ~GroupHandle() override;

  // Throws where join() has not ended well.
  std::shared_ptr<Group> group() const;

 private:
  // (library, { rank, worldSize, host, port, serve, prefix, seconds, interface, nccl }, cancel) -> Promise<void>
  Napi::Value join(const Call& call);
  // (cancel) -> Promise<void>
  Napi::Value connect(const Call& call);
  // (channel, text, seconds, cancel) -> Promise<string[]>
  Napi::Value exchange(const Call& call);
  // (why) -> Promise<void>
  Napi::Value fail(const Call& call);
  // (cancel) -> Promise<void>
  Napi::Value leave(const Call& call);
  // () -> { messages, bytes, seconds, waited }
  Napi::Value traffic(const Call& call);

  // A method as `entry` registers functions.
  template <Napi::Value (GroupHandle::*method)(const Call&)>
  Napi::Value through(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(Call(info)); });
  }

  // The thread of a channel: what waits in one does not keep another.
  Worker& worker(const std::string& channel);

  // Filled by join()'s job.
  std::shared_ptr<std::shared_ptr<Group>> group_ = std::make_shared<std::shared_ptr<Group>>();
  std::shared_ptr<std::set<Worker*>> workers_;
  std::map<std::string, std::unique_ptr<Worker>> threads_;
};

}  // namespace diffsal
