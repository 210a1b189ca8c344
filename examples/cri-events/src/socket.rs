//! The Unix socket: whose it is, and when it goes.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// A bound socket; the file goes when this is dropped, if it still is the one that was made.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    file: (u64, u64),
    listener: UnixListener,
}

/// Why there is no socket.
#[derive(Debug)]
pub enum BindError {
    /// Another server answers there.
    InUse(PathBuf),
    /// There is something else; it is left alone.
    NotASocket(PathBuf),
    /// Whatever the system says.
    Io(PathBuf, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "cannot listen on {}: another server answers there", path.display()),
            Self::NotASocket(path) => {
                write!(
                    f,
                    "cannot listen on {}: there is something that is no socket, and is left alone",
                    path.display()
                )
            }
            Self::Io(path, error) => write!(f, "cannot listen on {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BindError {}

impl Socket {
    /// Listens on `path`. A socket that a dead server left there is replaced; one that is answered, and any other file, is not touched.
    ///
    /// (Two servers that find the same dead socket in the same instant: the later one has it.)
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

    /// A second handle to listen with.
    ///
    /// # Errors
    ///
    /// When the system has no more descriptors.
    pub fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            // Gone already is as good.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Whether a server listens: only a refusal says that nobody does. Does not wait for one that is busy.
fn is_answered(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
