#include "binding/group.h"

#include "binding/environment.h"
#include "binding/job.h"
#include "binding/values.h"
#include "runtime/error.h"
#include "runtime/gloo_part.h"
#include "runtime/nccl_part.h"

namespace diffsal {
namespace {

GroupOptions group_options_from_js(const Napi::Object& o) {
  return {integer(o, "rank"),  integer(o, "worldSize"), text(o, "host"),      integer(o, "port"),
          boolean(o, "serve"), text(o, "prefix"),       number(o, "seconds"), text(o, "interface")};
}

}  // namespace

void GroupHandle::define(Napi::Env env, Napi::Object exports) {
  exports.Set("Group", DefineClass(env, "Group",
                                   {InstanceMethod<&GroupHandle::through<&GroupHandle::join>>("join"),
                                    InstanceMethod<&GroupHandle::through<&GroupHandle::connect>>("connect"),
                                    InstanceMethod<&GroupHandle::through<&GroupHandle::exchange>>("exchange"),
                                    InstanceMethod<&GroupHandle::through<&GroupHandle::fail>>("fail"),
                                    InstanceMethod<&GroupHandle::through<&GroupHandle::leave>>("leave"),
                                    InstanceMethod<&GroupHandle::through<&GroupHandle::traffic>>("traffic")}));
}

GroupHandle::GroupHandle(const Napi::CallbackInfo& info) : ObjectWrap(info), workers_(Environment::of(info.Env()).workers) {
  info.This().As<Napi::Object>().TypeTag(&type);
}

GroupHandle::~GroupHandle() {
  for (const auto& [channel, thread] : threads_) {
    workers_->erase(thread.get());
    thread->stop();
  }
}

std::shared_ptr<Group> GroupHandle::group() const {
  if (!*group_) throw Error(ErrorCode::internal, "The group has not been joined.");
  return *group_;
}

Worker& GroupHandle::worker(const std::string& channel) {
  auto& thread = threads_[channel];
  if (!thread) {
    thread = std::make_unique<Worker>(1);
    workers_->insert(thread.get());
  }
  return *thread;
}

Napi::Value GroupHandle::join(const Call& call) {
  return run_job<Nothing>(
      call.env(), worker("main"), call.self(), CancelToken::flag_of(call[2]),
      [library = text(call[0]), nccl = text(call[1].As<Napi::Object>(), "nccl"), options = group_options_from_js(call[1].As<Napi::Object>()),
       group = group_]() mutable {
        if (!nccl.empty()) options.nccl = &open_nccl_part(nccl);
        *group = open_gloo_part(library).join(options, throw_if_cancelled);
        return Nothing();
      },
      to_undefined);
}

Napi::Value GroupHandle::connect(const Call& call) {
  return run_job<Nothing>(
      call.env(), worker("main"), call.self(), CancelToken::flag_of(call[0]),
      [group = group()] {
        group->connect(throw_if_cancelled);
        return Nothing();
      },
      to_undefined);
}

Napi::Value GroupHandle::exchange(const Call& call) {
  using Texts = std::vector<std::string>;
  auto channel = text(call[0]);
  return run_job<Texts>(
      call.env(), worker(channel), call.self(), CancelToken::flag_of(call[3]),
      [group = group(), channel, given = text(call[1]), seconds = number(call[2])] {
        return group->exchange(channel, given, seconds, throw_if_cancelled);
      },
      [](Napi::Env env, Texts& texts) -> Napi::Value {
        auto list = Napi::Array::New(env, texts.size());
        for (uint32_t i = 0; i < texts.size(); ++i) list.Set(i, Napi::String::New(env, texts[i]));
        return list;
      });
}

Napi::Value GroupHandle::fail(const Call& call) {
  return run_job<Nothing>(
      call.env(), worker("fail"), call.self(), nullptr,
      [group = group(), why = text(call[0])] {
        group->fail(why, throw_if_cancelled);
        return Nothing();
      },
      to_undefined);
}

Napi::Value GroupHandle::traffic(const Call& call) {
  auto traffic = group()->traffic();
  auto object = Napi::Object::New(call.env());
  object.Set("messages", static_cast<double>(traffic.messages));
  object.Set("bytes", static_cast<double>(traffic.bytes));
  object.Set("seconds", traffic.seconds);
  object.Set("waited", traffic.waited);
  return object;
}

Napi::Value GroupHandle::leave(const Call& call) {
  return run_job<Nothing>(
      call.env(), worker("fail"), call.self(), CancelToken::flag_of(call[0]),
      [group = group()] {
        group->leave(throw_if_cancelled);
        return Nothing();
      },
      to_undefined);
}

}  // namespace diffsal
