//! Executors, behind one interface.

use std::future::Future;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::{LocalPool, ThreadPool, block_on};
use futures::future::{BoxFuture, FutureExt};
use futures::task::SpawnExt;

/// How long a scenario may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Executor {
    TokioCurrentThread,
    TokioMultiThread,
    /// All tasks on one thread.
    SmolOneThread,
    /// Tasks on three threads.
    SmolThreads,
    /// Each task blocks a thread of its own.
    FuturesBlockOn,
    FuturesLocalPool,
    FuturesThreadPool,
}

/// Starts tasks on an executor.
#[derive(Clone)]
pub(crate) struct Spawner(Rc<dyn Fn(BoxFuture<'static, ()>)>);

impl Spawner {
    /// The result waits for the task. It panics if the task did.
    pub(crate) fn spawn<F>(&self, task: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        (self.0)(task.map(|result| drop(sender.send(result))).boxed());
        receiver.map(|result| result.expect("the task has panicked"))
    }
}

impl Executor {
    /// Runs a scenario, on a thread of its own, so that one that hangs fails.
    #[track_caller]
    pub(crate) fn run<F: Future<Output = ()>>(self, scenario: impl FnOnce(Spawner) -> F + Send + 'static) {
        let (running, over) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let _running = running;
            self.block_on(scenario);
        });
        if over.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            panic!("hangs");
        }
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
    }

    fn block_on<F: Future<Output = ()>>(self, scenario: impl FnOnce(Spawner) -> F) {
        let spawner = |spawn: Rc<dyn Fn(BoxFuture<'static, ()>)>| Spawner(spawn);
        match self {
            Self::TokioCurrentThread | Self::TokioMultiThread => {
                let runtime = match self {
                    Self::TokioCurrentThread => tokio::runtime::Builder::new_current_thread(),
                    _ => tokio::runtime::Builder::new_multi_thread(),
                };
                let runtime = { runtime }.worker_threads(3).enable_time().build().unwrap();
                let handle = runtime.handle().clone();
                runtime.block_on(scenario(spawner(Rc::new(move |task| drop(handle.spawn(task))))));
            }
            Self::SmolOneThread => {
                let executor = Rc::new(smol::LocalExecutor::new());
                let tasks = Rc::clone(&executor);
                let scenario = scenario(spawner(Rc::new(move |task| tasks.spawn(task).detach())));
                smol::block_on(executor.run(scenario));
            }
            Self::SmolThreads => {
                let executor = Arc::new(smol::Executor::new());
                let (stop, stopped) = smol::channel::unbounded::<()>();
                for _ in 0..2 {
                    let (executor, stopped) = (Arc::clone(&executor), stopped.clone());
                    thread::spawn(move || smol::block_on(executor.run(stopped.recv())));
                }
                let tasks = Arc::clone(&executor);
                let scenario = scenario(spawner(Rc::new(move |task| tasks.spawn(task).detach())));
                smol::block_on(executor.run(scenario));
                drop(stop);
            }
            Self::FuturesBlockOn => {
                block_on(scenario(spawner(Rc::new(|task| drop(thread::spawn(|| block_on(task)))))));
            }
            Self::FuturesLocalPool => {
                let mut pool = LocalPool::new();
                let tasks = pool.spawner();
                pool.run_until(scenario(spawner(Rc::new(move |task| tasks.spawn(task).unwrap()))));
            }
            Self::FuturesThreadPool => {
                let pool = ThreadPool::builder().pool_size(3).create().unwrap();
                block_on(scenario(spawner(Rc::new(move |task| pool.spawn_ok(task)))));
            }
        }
    }
}

/// Makes a test of each scenario on each executor.
macro_rules! on_each_executor {
    ($($(#[$attribute:meta])* $scenario:ident,)*) => {$(
        $(#[$attribute])*
        mod $scenario {
            use crate::executors::Executor;

            on_each_executor! {
                @ $scenario
                tokio_current_thread TokioCurrentThread
                tokio_multi_thread TokioMultiThread
                smol_one_thread SmolOneThread
                smol_threads SmolThreads
                futures_block_on FuturesBlockOn
                futures_local_pool FuturesLocalPool
                futures_thread_pool FuturesThreadPool
            }
        }
    )*};
    (@ $scenario:ident $($name:ident $executor:ident)*) => {$(
        #[test]
        fn $name() {
            Executor::$executor.run(super::$scenario);
        }
    )*};
}
