using System.Text;

namespace CaveComm.Sandbox.Mail;

/// <summary>Reads CRLF lines. A bare LF or CR ends nothing, so no mail can smuggle a second one past us (RFC 5321, 2.3.8).</summary>
internal sealed class SmtpLines(Stream stream)
{
    private readonly byte[] buffer = new byte[8192];
    private int start;
    private int end;

    /// <returns>The line without its CRLF; cut at the limit (the rest of it is read and dropped). Null at the end of the stream.</returns>
    public async Task<(byte[] Line, bool TooLong)?> Read(int limit, CancellationToken cancel)
    {
        using var line = new MemoryStream();
        var length = 0;
        var carriage = false;
        while (true)
        {
            if (start == end)
            {
                start = 0;
                end = await stream.ReadAsync(buffer, cancel);
                if (end == 0)
                {
                    return null;
                }
            }

            var octet = buffer[start++];
            if (carriage && octet == '\n')
            {
                return (line.ToArray(), length > limit);
            }

            if (carriage)
            {
                Keep((byte)'\r');
            }

            carriage = octet == '\r';
            if (!carriage)
            {
                Keep(octet);
            }
        }

        void Keep(byte octet)
        {
            if (++length <= limit)
            {
                line.WriteByte(octet);
            }
        }
    }

    public async Task Write(string answer, CancellationToken cancel)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + "\r\n"), cancel);
        await stream.FlushAsync(cancel);
    }
}
