using System.Buffers;

namespace CaveComm.Api.Http;

/// <summary>Reads a body whole, up to a limit.</summary>
public static class BoundedBody
{
    /// <returns>Null when there was more than the limit.</returns>
    public static async Task<byte[]?> Read(HttpRequest request, int limit, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.ContentLength > limit)
        {
            return null;
        }

        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            if (read.Buffer.Length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            // Looked at, not taken: the pipe keeps it until all is there.
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
