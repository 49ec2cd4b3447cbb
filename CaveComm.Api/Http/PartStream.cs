namespace CaveComm.Api.Http;

/// <summary>
/// A part's content, whose early end is told as the sender's fault. The multipart reader says so with a plain <see cref="IOException"/>,
/// which further up could as well be a full disk; here only the sender can have caused it.
/// </summary>
internal sealed class PartStream(Stream part) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static async Task<T> Blame<T>(ValueTask<T> reading)
    {
        try
        {
            return await reading;
        }
        catch (Exception error) when (error is IOException and not BadHttpRequestException or InvalidDataException)
        {
            throw new BadHttpRequestException("The multipart form is broken or ends in the middle.", StatusCodes.Status400BadRequest, error);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await Blame(part.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Blame(part.ReadAsync(buffer.AsMemory(offset, count), cancellationToken));

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Uploads are read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
