//! The Unix socket: who may bind it, and when its file is removed.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// A bound socket. Dropping it removes the file, unless another process has replaced it.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    file: (u64, u64),
    listener: UnixListener,
}

/// Why a socket could not be bound.
#[derive(Debug)]
pub enum BindError {
    /// Another server answers there.
    InUse(PathBuf),
    /// The path is a file that is not a socket. It is not changed.
    NotASocket(PathBuf),
    /// An error of the system.
    Io(PathBuf, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "cannot listen on {}: another server answers there", path.display()),
            Self::NotASocket(path) => {
                write!(f, "cannot listen on {}: the file exists and is not a socket", path.display())
            }
            Self::Io(path, error) => write!(f, "cannot listen on {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BindError {}

impl Socket {
    /// Listens on `path`. Replaces a socket file that a killed server left there. Fails if another
    /// server answers, or if the path is any other file.
    ///
    /// If two servers replace the same file at the same moment, the later one gets the path.
    ///
    /// # Errors
    ///
    /// See [`BindError`].
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |error| BindError::Io(path.to_owned(), error);
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(BindError::NotASocket(path.to_owned())),
            Ok(_) if is_answered(path).map_err(failed)? => return Err(BindError::InUse(path.to_owned())),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let file = identity(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, listener })
    }

    /// A second handle of the listener.
    ///
    /// # Errors
    ///
    /// When the system has no more descriptors.
    pub fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }

    /// The path of the socket.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            // It may be removed already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Whether a server listens. Only a refused connection means that none does. Does not wait for a
/// busy server.
fn is_answered(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
